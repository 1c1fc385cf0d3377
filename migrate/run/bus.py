"""The writing side of a run's bus, and what its off-ramps allow."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace

from loaders import bus_part
from loaders.claims import open_claims
from loaders.claims.publish import Publisher as ClaimsPublisher
from loaders.structured import structured_ramps
from loaders.structured.publish import Publisher as EventsPublisher
from migrate.core.errors import BusRefused, CouldNotVerify, MigrateError
from migrate.core.flow import BusSpec, OffRampSpec
from migrate.core.ports import Gauge, Observer, Provisioner, Publisher
from migrate.formats.expiry import Expiries
from migrate.plan.stores import open_gauge
from migrate.run.windows import KEPT


@dataclass(frozen=True, slots=True)
class Bus:
    """Where a run is loaded to; `positions` are its start positions by destination, `gauge` tells
    backlogs where an off-ramp asks for that, `expiries` when deliveries expire."""

    publisher: Publisher
    offramps: Mapping[str, OffRampSpec]
    positions: Mapping[str, str]
    gauge: Gauge | None = None
    expiries: Expiries = KEPT

    def may_repeat(self, destination: str) -> bool:
        """Whether the receiver behind an off-ramp drops repeats by message id."""
        offramp = self.offramps.get(destination)
        return offramp is not None and offramp.duplicates == "message_id"


def open_publisher(spec: BusSpec, offramps: Mapping[str, OffRampSpec]) -> Publisher:
    """The one writer of a run, with the off-ramps' content modes and the plan's claim check.
    Raises BusRefused, MissingExtra, UsageError."""
    publisher: Publisher = bus_part(spec.kind, "publish:Publisher")(spec, offramps)
    if structured_ramps(offramps):
        publisher = EventsPublisher(publisher, offramps)
    if spec.claims is None:
        return publisher
    try:
        return ClaimsPublisher(publisher, open_claims(spec), spec.claims)
    except MigrateError:
        publisher.close()
        raise


def make_ready(spec: BusSpec, offramps: Mapping[str, OffRampSpec]) -> dict[str, str]:
    """Provision every off-ramp, the archive among them, and the claim store; where each off-ramp
    ends before the first publish.

    A destination that holds nothing has the empty position. Raises BusRefused.
    """
    provisioner: Provisioner = bus_part(spec.kind, "provision:Provisioner")(spec, offramps)
    with closing(provisioner):
        provisioner.provision()
    if spec.claims is not None:
        with closing(open_claims(spec)) as claims:
            claims.provision()
    observer: Observer = bus_part(spec.kind, "observe:Observer")(spec, offramps)
    with closing(observer):
        try:
            return {**dict.fromkeys(offramps, ""), **observer.positions()}
        except CouldNotVerify as error:
            raise BusRefused(error.message, hint=error.hint) from error


@contextmanager
def opened_gauge(spec: BusSpec, offramps: Mapping[str, OffRampSpec]) -> Iterator[Gauge | None]:
    """What tells backlogs, on a connection of its own; None where no off-ramp has a threshold.

    Raises MissingExtra, and UsageError for a bus that cannot tell.
    """
    gauged = {name: ramp for name, ramp in offramps.items() if ramp.backlog}
    if not gauged:
        yield None
        return
    with closing(open_gauge(spec, gauged)) as gauge:
        yield gauge


def unhindered(offramps: Mapping[str, OffRampSpec]) -> dict[str, OffRampSpec]:
    """Off-ramps as a rehearsal loads them: nobody receives there, so nobody needs rest. Rates
    hold, so that a rehearsal shows them."""
    return {name: replace(ramp, backlog=None, blackouts=()) for name, ramp in offramps.items()}
