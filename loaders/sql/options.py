"""The one option of a SQL bus: `receivers`, what they do with the rows that they have taken."""

from collections.abc import Mapping

from migrate.core.errors import UsageError
from migrate.core.flow import BusSpec, OffRampSpec


def receivers_of(spec: BusSpec) -> str | None:
    """`delete`: a row that is gone was taken; `keep`: rows stay, whoever took them. None where the
    plan does not say. Raises UsageError for anything else, and for other options."""
    options = dict(spec.options)
    told = options.pop("receivers", None)
    for name in options:
        raise UsageError(
            f'the bus "{spec.name}" has an option "{name}", which a SQL bus does not know',
            hint='it knows receivers = "delete" or "keep"',
        )
    if told is not None and told not in ("delete", "keep"):
        raise UsageError(
            f'the option receivers of the bus "{spec.name}" is not usable',
            hint='write "delete" where receivers delete the rows they have taken, else "keep"',
        )
    return told


def tapped(spec: BusSpec, offramps: Mapping[str, OffRampSpec]) -> frozenset[str]:
    """Off-ramps of which a copy is kept: those with a tap, where receivers delete rows. Where rows
    stay, they are read themselves."""
    if receivers_of(spec) != "delete":
        return frozenset()
    return frozenset(name for name, ramp in offramps.items() if ramp.observe == "tap")
