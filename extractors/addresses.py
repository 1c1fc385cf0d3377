"""What the addresses of all live brokers have alike: options, timeouts, how they are shown."""

from collections.abc import Sequence

from migrate.core.errors import LegacyUnreadable
from migrate.core.flow import StoreSpec
from migrate.core.redact_url import mask_url

TIMEOUT_S = 60


def require_known(spec: StoreSpec, names: Sequence[str]) -> None:
    """Raises LegacyUnreadable for an option that is none of these."""
    unknown = sorted({name for name, _ in spec.options} - set(names))
    if unknown:
        raise LegacyUnreadable(
            f'store "{spec.name}": no option is named {", ".join(unknown)}',
            hint=f"options are {', '.join(names)}",
        )


def timeout_of(spec: StoreSpec) -> int:
    """`options.timeout_s` in seconds, from 1 to 3600. Raises LegacyUnreadable."""
    text = dict(spec.options).get("timeout_s", str(TIMEOUT_S))
    if not text.isdecimal() or not 1 <= int(text) <= 3600:
        raise LegacyUnreadable(
            f'store "{spec.name}": timeout_s is no number of seconds',
            hint='options = { timeout_s = "60" }',
        )
    return int(text)


def shown(url: str) -> str:
    """A URL without user and password, masked besides."""
    scheme, mark, rest = url.partition("://")
    return mask_url(f"{scheme}{mark}{rest.rpartition('@')[2]}")
