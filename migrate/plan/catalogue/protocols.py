"""Kinds of bus in AsyncAPI's words: protocol, addresses, header names, bindings.

Source: AsyncAPI 3.0.0 and its binding definitions (AMQP 0.3.0, Kafka 0.5.0, NATS 0.1.0).
What only the broker knows (numbers of partitions, names of exchanges) is left out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from migrate.core.flow import OffRampSpec
from migrate.formats.envelope_schema import AMQP_NAMES, KAFKA_NAMES, NATS_NAMES, TABLE_NAMES, Naming

Action = Literal["send", "receive"]
Bindings = dict[str, Any]

_AMQP = {"bindingVersion": "0.3.0"}
_KAFKA = {"bindingVersion": "0.5.0"}
_NATS = {"bindingVersion": "0.1.0"}


def _nothing(_: str) -> Bindings:
    return {}


@dataclass(frozen=True, slots=True)
class Protocol:
    """How one kind of bus is described.

    `address` is a pattern of off-ramp and lane, and of `prefix` where the bus has an option of
    that name: what it is by default, itself a pattern of the bus's name. `renamed`: the option by
    which an off-ramp has another name on the bus. `addressed` says in words what an address names.
    `channel` and `operation` give the bindings of an address and an action.
    """

    name: str
    what: str
    addressed: str
    naming: Naming
    address: str = "{ramp}.{lane}"
    prefix: str | None = None
    renamed: str | None = None
    version: str | None = None
    channel: Callable[[str], Bindings] = _nothing
    operation: Callable[[str], Bindings] = _nothing
    message: Bindings | None = None


def _queue(address: str) -> Bindings:
    queue = {"name": address, "durable": True, "exclusive": False, "autoDelete": False}
    return {"amqp": {"is": "queue", "queue": queue, **_AMQP}}


def _amqp_operation(action: str) -> Bindings:
    if action == "send":
        return {"amqp": {"deliveryMode": 2, "mandatory": True, **_AMQP}}
    return {"amqp": {"ack": True, **_AMQP}}


def _topic(address: str) -> Bindings:
    return {"kafka": {"topic": address, **_KAFKA}}


def _nats_operation(_: str) -> Bindings:
    return {"nats": _NATS}


_ORDER_KEY = {
    "type": "string",
    "description": "The order key, so that what has to stay in order stays in one partition.",
}

_NATS_BUS = Protocol(
    name="nats",
    what="NATS",
    addressed="the subject",
    naming=NATS_NAMES,
    address="{prefix}.{ramp}.{lane}",
    prefix="{bus}",
    renamed="name",
    operation=_nats_operation,
)

PROTOCOLS: dict[str, Protocol] = {
    "sql": Protocol(
        name="custom",
        what="A database table named delivery, a row for each delivery",
        addressed="the columns destination and lane",
        naming=TABLE_NAMES,
        address="{ramp}/{lane}",
    ),
    "rabbitmq": Protocol(
        name="amqp",
        what="RabbitMQ, AMQP 0-9-1",
        addressed="the queue",
        naming=AMQP_NAMES,
        version="0-9-1",
        channel=_queue,
        operation=_amqp_operation,
    ),
    "rabbitmq-stream": Protocol(
        name="rabbitmq-stream",
        what="RabbitMQ streams, messages in AMQP 1.0",
        addressed="the stream",
        naming=AMQP_NAMES,
        address="{prefix}{ramp}.{lane}",
        prefix="{bus}.",
        version="1",
    ),
    "nats": _NATS_BUS,
    "jetstream": replace(_NATS_BUS, what="NATS JetStream"),
    "kafka": Protocol(
        name="kafka",
        what="Apache Kafka",
        addressed="the topic",
        naming=KAFKA_NAMES,
        address="{prefix}{ramp}.{lane}",
        prefix="metip.",
        channel=_topic,
        message={"kafka": {"key": _ORDER_KEY, **_KAFKA}},
    ),
}
"""By kind of bus."""


def protocol(kind: str) -> Protocol:
    """The description of a kind; of one that AsyncAPI has no word for, what all buses share."""
    return PROTOCOLS.get(kind) or Protocol(
        name="custom", what=f"A bus of kind {kind}", addressed="the destination", naming=TABLE_NAMES
    )


def address(
    bus: Protocol, name: str, options: Mapping[str, str], ramp: OffRampSpec, lane: str
) -> str | None:
    """Where a lane is on the bus called `name`; `options`, of the bus, as the plan writes them.
    None where only the environment knows."""
    called = dict(ramp.options).get(bus.renamed or "", ramp.name)
    prefix = "" if bus.prefix is None else options.get("prefix", bus.prefix.format(bus=name))
    if "${" in prefix or prefix.startswith("file:"):
        return None
    return bus.address.format(prefix=prefix, ramp=called, lane=lane)
