"""What a plan says of an off-ramp's receivers, for the gauges of those buses that need it."""

from collections.abc import Mapping

from migrate.core.errors import NoGauge
from migrate.core.flow import OffRampSpec


def consumers_of(ramp: OffRampSpec) -> tuple[str, ...]:
    """What the plan calls the receivers of an off-ramp on the bus; it may name none."""
    return ramp.backlog.consumers if ramp.backlog is not None else ()


def require_named(offramps: Mapping[str, OffRampSpec], what: str) -> None:
    """Raises NoGauge for an off-ramp whose backlog names no consumers; `what`: such ones."""
    for name, ramp in offramps.items():
        if not consumers_of(ramp):
            raise NoGauge(
                f'the backlog of the off-ramp "{name}" does not say who receives there',
                hint=f'name {what}: backlog = {{ …, consumers = ["…"] }}',
            )


def require_unnamed(offramps: Mapping[str, OffRampSpec], why: str) -> None:
    """Raises NoGauge for an off-ramp whose backlog names consumers where that means nothing."""
    for name, ramp in offramps.items():
        if consumers_of(ramp):
            raise NoGauge(
                f'the backlog of the off-ramp "{name}" names consumers, but {why}',
                hint="leave `consumers` out of it",
            )
