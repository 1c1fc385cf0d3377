"""Asking a broker for exchanges and queues over AMQP."""

from collections.abc import Mapping
from typing import NamedTuple

from loaders.rabbitmq import wire
from loaders.rabbitmq.link import Link
from loaders.rabbitmq.lost import ChannelClosed
from loaders.rabbitmq.topology import TOPIC, Argument, Queue

NOT_FOUND, PRECONDITION_FAILED = 404, 406
_PASSIVE, _DURABLE = 1, 2


class Depth(NamedTuple):
    """Messages ready in a queue, and how many consumers are attached to it."""

    messages: int
    consumers: int


def depth(link: Link, queue: str) -> Depth | None:
    """A passive declaration; None where there is no such queue."""
    channel = link.open_channel()
    try:
        answer = _declare_queue(link, channel, queue, _PASSIVE, {})
    except ChannelClosed as closed:
        if closed.code == NOT_FOUND:
            return None
        raise
    link.close_channel(channel)
    return answer


def has_exchange(link: Link, name: str) -> bool:
    """A passive declaration; it says nothing of the type."""
    channel = link.open_channel()
    try:
        _declare_exchange(link, channel, name, _PASSIVE)
    except ChannelClosed as closed:
        if closed.code == NOT_FOUND:
            return False
        raise
    link.close_channel(channel)
    return True


def make_exchange(link: Link, name: str) -> bool:
    """Declare it as it has to be; False where it is there and differs."""
    channel = link.open_channel()
    try:
        _declare_exchange(link, channel, name, _DURABLE)
    except ChannelClosed as closed:
        if closed.code == PRECONDITION_FAILED:
            return False
        raise
    link.close_channel(channel)
    return True


def make_queue(link: Link, queue: Queue) -> bool:
    """Declare it as it has to be; False where it is there and differs."""
    channel = link.open_channel()
    try:
        _declare_queue(link, channel, queue.name, _DURABLE, queue.arguments)
    except ChannelClosed as closed:
        if closed.code == PRECONDITION_FAILED:
            return False
        raise
    link.close_channel(channel)
    return True


def bind(link: Link, queue: Queue) -> None:
    """Bind a queue by all its keys; a binding that is there already stays."""
    channel = link.open_channel()
    for key in queue.keys:
        names = (wire.shortstr(name) for name in (queue.name, queue.exchange, key))
        arguments = (wire.short(0), *names, wire.octet(0), wire.table({}))
        link.ask(channel, wire.QUEUE_BIND, wire.QUEUE_BIND_OK, *arguments)
    link.close_channel(channel)


def _declare_exchange(link: Link, channel: int, name: str, bits: int) -> None:
    names = wire.shortstr(name) + wire.shortstr(TOPIC)
    arguments = (wire.short(0), names, wire.octet(bits), wire.table({}))
    link.ask(channel, wire.EXCHANGE_DECLARE, wire.EXCHANGE_DECLARE_OK, *arguments)


def _declare_queue(
    link: Link, channel: int, name: str, bits: int, arguments: Mapping[str, Argument]
) -> Depth:
    given = (wire.short(0), wire.shortstr(name), wire.octet(bits), wire.table(arguments))
    answer = link.ask(channel, wire.QUEUE_DECLARE, wire.QUEUE_DECLARE_OK, *given)
    answer.shortstr()
    return Depth(answer.long(), answer.long())
