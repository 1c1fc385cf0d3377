"""CloudEvents structured mode: off-ramps that receive every delivery as one JSON document.

Wrapped round any bus's Publisher and Observer, so that every kind of bus has it; the claim check is
wrapped round that, so that an event says where its data lies.
"""

from collections.abc import Mapping

from migrate.core.flow import OffRampSpec


def structured_ramps(offramps: Mapping[str, OffRampSpec]) -> frozenset[str]:
    """The off-ramps whose deliveries are events in structured mode."""
    return frozenset(name for name, ramp in offramps.items() if ramp.mode == "structured")
