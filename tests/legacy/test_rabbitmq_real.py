"""Definitions lead where a real RabbitMQ that holds them puts the messages."""

from itertools import product
from typing import Any
from urllib.request import Request, urlopen

import pika
import pytest

from extractors.rabbitmq.message import typed
from migrate.legacy.rabbitmq import read_definitions
from migrate.legacy.values import Message, value_of
from tests import rabbitmq

QUEUES = ("q.all", "q.custody", "q.word", "q.north", "q.any", "q.has", "q.lost", "q.x", "q.direct")
EXCHANGES = {
    "topic": ("topic", {"alternate-exchange": "lost"}),
    "inner": ("topic", {"alternate-exchange": "lost"}),
    "headers": ("headers", {}),
    "fan": ("fanout", {}),
    "lost": ("fanout", {}),
    "policed": ("direct", {}),
    "empty": ("headers", {"alternate-exchange": "lost"}),
}
BINDINGS: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("topic", "q.all", "#.all.#", {}),
    ("topic", "q.custody", "custody.#", {}),
    ("topic", "q.word", "*.new", {}),
    ("topic", "x:inner", "in.#", {}),
    ("inner", "q.x", "in.*.x", {}),
    ("inner", "x:headers", "in.headers.*", {}),
    ("headers", "q.north", "", {"x-match": "all", "region": "N", "level": 3}),
    ("headers", "q.any", "", {"x-match": "any", "region": "S", "level": 4, "x-own": "1"}),
    ("headers", "q.has", "", {"x-match": "all", "flag": None}),
    ("headers", "q.x", "", {"x-match": "all-with-x", "x-own": "1"}),
    ("fan", "x:topic", "", {}),
    ("fan", "q.all", "", {}),
    ("lost", "q.lost", "", {}),
    ("policed", "q.direct", "d", {}),
    ("empty", "q.x", "", {"x-match": "any"}),
    ("amq.topic", "q.word", "w", {}),
)
SENT_TO = ("", "topic", "inner", "headers", "fan", "policed", "empty", "amq.topic")
KEYS = ("", "all", "a.all.b", "custody", "custody.new", "in.a.x", "in.headers.x", "d", "q.x", "w")
HEADERS: tuple[dict[str, Any], ...] = (
    {},
    {"region": "N", "level": 3},
    {"region": "N", "level": True, "flag": True},
    {"region": "S", "x-own": "1"},
    {"region": "N", "level": "3", "CC": ["custody.cc", "q.custody"], "BCC": ["w"]},
)
SENT = list(product(SENT_TO, KEYS, HEADERS))


def seen(exchange: str, key: str, headers: dict[str, Any]) -> Message:
    """As the segment of a RabbitMQ store says it."""
    given = {name: value_of(*typed(value)) for name, value in headers.items()}
    return {**given, "rabbitmq.exchange": exchange, "rabbitmq.routing_key": key}


def declared(channel: Any) -> None:
    for name in QUEUES:
        channel.queue_declare(name, durable=True)
    for name, (kind, arguments) in EXCHANGES.items():
        channel.exchange_declare(name, kind, durable=True, arguments=arguments)
    for source, target, key, arguments in BINDINGS:
        if target.startswith("x:"):
            channel.exchange_bind(target[2:], source, key, arguments)
        else:
            channel.queue_bind(target, source, key, arguments)


def definitions(host: rabbitmq.Host) -> str:
    """As the broker exports them for the virtual host."""
    request = Request(f"{host.management}/api/definitions/{host.name}")
    request.add_header("Authorization", "Basic Z3Vlc3Q6Z3Vlc3Q=")
    with urlopen(request, timeout=30) as answer:
        return answer.read().decode()


@pytest.mark.service
@pytest.mark.xdist_group("rabbitmq")
def test_messages_reach_what_the_broker_puts_them_in() -> None:
    """Every kind of exchange, chains of them, alternates by argument and policy, CC and BCC."""
    with rabbitmq.host() as host:
        policy = {"pattern": "^policed$", "apply-to": "exchanges", "priority": 1}
        for name, priority, target in (("low", 0, "topic"), ("high", 3, "lost")):
            given = {**policy, "priority": priority, "definition": {"alternate-exchange": target}}
            host.ask("PUT", f"/api/policies/{host.name}/{name}", given)
        with host.channel() as channel:
            declared(channel)
            channel.confirm_delivery()
            for number, (exchange, key, headers) in enumerate(SENT):
                properties = pika.BasicProperties(headers=headers, message_id=str(number))
                channel.basic_publish(exchange, key, b"", properties)
            topology = read_definitions(definitions(host), host.name)
            held = set()
            for queue in QUEUES:
                while True:
                    method, found, _ = channel.basic_get(queue, auto_ack=True)
                    if method is None:
                        break
                    held.add((int(found.message_id), queue))
    ours = {
        (number, reached.endpoint)
        for number, each in enumerate(SENT)
        for reached in topology.reached(seen(*each))
    }
    assert len(held) > len(SENT) / 2
    assert ours == held
