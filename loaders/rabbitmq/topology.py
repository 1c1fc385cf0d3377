"""What MetIP's off-ramps are on RabbitMQ: names, types and arguments of exchanges and queues.

exchange  <exchange>          topic; what an off-ramp and lane is addressed by
exchange  <exchange>.dead     topic; where expired, rejected and overdelivered messages go
queue     <offramp>.<lane>    quorum, stream or classic, bound by its own name
queue     <offramp>.dead      quorum, bound to the dead-letter exchange by `<offramp>.<lane>`
queue     <offramp>.<lane>.tap   stream, bound by the same key; of tapped off-ramps
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from loaders.rabbitmq.address import Address, require_known, whole
from migrate.core.errors import UsageError
from migrate.core.flow import ARCHIVE, LANES, BusSpec, OffRampSpec

QueueType = Literal["quorum", "stream", "classic"]
TYPES: tuple[QueueType, ...] = ("quorum", "stream", "classic")
OPTIONS = ("queue", "max_length", "max_length_bytes", "delivery_limit", "dead_letter")
TOPIC = "topic"
_MOST = 2**53
_LONGEST = 255  # bytes of a name

Argument = str | int


@dataclass(frozen=True, slots=True)
class Queue:
    """A durable queue, and the key by which it is bound to an exchange."""

    name: str
    type: QueueType
    arguments: Mapping[str, Argument]
    exchange: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ramp:
    """An off-ramp as RabbitMQ has it."""

    spec: OffRampSpec
    type: QueueType
    arguments: Mapping[str, Argument]
    dead_letter: bool

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def expiry(self) -> Literal["absolute", "restart", "none"]:
        """What becomes of expiry; what is archived is kept."""
        return "none" if self.name == ARCHIVE else self.spec.expiry

    @property
    def tapped(self) -> bool:
        """Whether a stream beside its queues is read in their place."""
        return self.spec.observe == "tap"

    @property
    def counted(self) -> bool:
        """Whether it is seen by numbers only."""
        return self.spec.observe == "counts"

    def queue(self, lane: str) -> str:
        """The queue of a lane, which is also its routing key."""
        return f"{self.name}.{lane}"

    def stream(self, lane: str) -> str:
        """The stream that the witness reads of a lane."""
        return f"{self.queue(lane)}.tap" if self.tapped else self.queue(lane)

    def key(self, lane: str) -> str:
        """The routing key of a lane."""
        return self.queue(lane)


def ramps(spec: BusSpec, address: Address, offramps: Mapping[str, OffRampSpec]) -> dict[str, Ramp]:
    """Every off-ramp by name. Raises UsageError for options that are unknown, senseless or do not
    go together."""
    default = dict(spec.options).get("queue")
    found = {name: _ramp(spec.name, address, ramp, default) for name, ramp in offramps.items()}
    _no_name_twice(found)
    return found


def exchanges(address: Address, found: Mapping[str, Ramp]) -> list[str]:
    """The exchanges, in the order in which they are made."""
    dead = [dead_letters(address)] if any(ramp.dead_letter for ramp in found.values()) else []
    return [address.exchange, *dead]


def dead_letters(address: Address) -> str:
    """The name of the dead-letter exchange."""
    return f"{address.exchange}.dead"


def queues(address: Address, found: Mapping[str, Ramp]) -> Iterator[Queue]:
    """Every queue that the off-ramps need, in the order in which they are made."""
    for ramp in found.values():
        if ramp.dead_letter:
            keys = tuple(ramp.key(lane) for lane in LANES)
            arguments = {"x-queue-type": "quorum"}
            name = f"{ramp.name}.dead"
            yield Queue(name, "quorum", arguments, dead_letters(address), keys)
        for lane in LANES:
            key = (ramp.key(lane),)
            yield Queue(ramp.queue(lane), ramp.type, ramp.arguments, address.exchange, key)
            if ramp.tapped:
                arguments = {"x-queue-type": "stream"}
                yield Queue(ramp.stream(lane), "stream", arguments, address.exchange, key)


def _ramp(bus: str, address: Address, ramp: OffRampSpec, default: str | None) -> Ramp:
    where = f'off-ramp "{ramp.name}"'
    options = dict(ramp.options)
    require_known(where, options, OPTIONS)
    kind = _type(where, ramp, options.get("queue", default))
    _goes_together(where, bus, address, ramp, kind)
    arguments: dict[str, Argument] = {"x-queue-type": kind}
    limits = {name: text for name, text in options.items() if name in _LIMITS}
    for name in limits:
        if kind == "stream" or (name == "delivery_limit" and kind != "quorum"):
            raise UsageError(
                f"{where}: a {kind} queue has no {name}",
                hint="leave it out"
                + (": a stream that forgets cannot be read back" if kind == "stream" else ""),
            )
        arguments[_LIMITS[name]] = whole(where, limits, name, 1_000, 1, _MOST)
    dead = kind != "stream" and _yes(where, options, "dead_letter")
    if dead:
        arguments["x-dead-letter-exchange"] = dead_letters(address)
    if kind == "quorum" and dead:
        arguments["x-dead-letter-strategy"] = "at-least-once"
    if (kind == "quorum" and dead) or {"max_length", "max_length_bytes"} & set(limits):
        arguments["x-overflow"] = "reject-publish"
    return Ramp(ramp, kind, arguments, dead)


_LIMITS = {
    "max_length": "x-max-length",
    "max_length_bytes": "x-max-length-bytes",
    "delivery_limit": "x-delivery-limit",
}


def _type(where: str, ramp: OffRampSpec, text: str | None) -> QueueType:
    """The archive is a stream unless the plan says otherwise: it is kept, not consumed."""
    if text is None:
        return "stream" if ramp.name == ARCHIVE and ramp.observe == "direct" else "quorum"
    for kind in TYPES:
        if kind == text:
            return kind
    raise UsageError(
        f"{where}: there is no such type of queue", hint=f"queue is one of {', '.join(TYPES)}"
    )


def _goes_together(
    where: str, bus: str, address: Address, ramp: OffRampSpec, kind: QueueType
) -> None:
    if ramp.observe == "direct" and kind != "stream":
        raise UsageError(
            f"{where}: a {kind} queue cannot be read without taking from it",
            hint='observe = "tap" reads a copy, observe = "counts" sees numbers only; or '
            'options = { queue = "stream" }',
        )
    if ramp.observe != "direct" and kind == "stream":
        raise UsageError(
            f"{where}: a stream can be read itself", hint='observe = "direct", or another queue'
        )
    if ramp.observe == "tap" and address.management is None:
        raise UsageError(
            f"{where}: a tap shows what the exchange routed to the tap; that the queue was bound "
            "beside it only the management API shows",
            hint=f'[bus.{bus}] options = {{ management = "http://host:15672" }}, '
            'or observe = "counts"',
        )


def _yes(where: str, options: Mapping[str, str], name: str) -> bool:
    text = options.get(name, "true")
    if text not in ("true", "false"):
        raise UsageError(f"{where}: the option {name} is true or false")
    return text == "true"


def _no_name_twice(found: Mapping[str, Ramp]) -> None:
    """Off-ramps `a` and `a.bulk` could have queues of one name."""
    names: dict[str, str] = {}
    for ramp in found.values():
        for name in _names(ramp):
            other = names.setdefault(name, ramp.name)
            if other != ramp.name:
                raise UsageError(
                    f'off-ramps "{other}" and "{ramp.name}" both need a queue "{name}"',
                    hint="name one of them otherwise",
                )
            if len(name.encode()) > _LONGEST:
                raise UsageError(
                    f'off-ramp "{ramp.name}": its name is too long', hint="200 bytes are well"
                )


def _names(ramp: Ramp) -> Sequence[str]:
    taps = [ramp.stream(lane) for lane in LANES]
    return [f"{ramp.name}.dead", *(ramp.queue(lane) for lane in LANES), *taps]
