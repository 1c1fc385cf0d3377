"""Asking a broker for exchanges and queues over AMQP."""

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

from loaders.rabbitmq import wire
from loaders.rabbitmq.link import Link
from loaders.rabbitmq.lost import NOT_FOUND, PRECONDITION_FAILED, ChannelClosed
from loaders.rabbitmq.topology import TOPIC, Argument, Queue

_AGAIN_S = 0.2
_PASSIVE, _DURABLE = 1, 2

_T = TypeVar("_T")


class Depth(NamedTuple):
    """Messages ready in a queue, and how many consumers are attached to it."""

    messages: int
    consumers: int


def depth(link: Link, queue: str) -> Depth | None:
    """A passive declaration; None where there is no such queue."""
    return _unless(
        NOT_FOUND, link, lambda channel: _declare_queue(link, channel, queue, _PASSIVE, {})
    )


def has_exchange(link: Link, name: str) -> bool:
    """A passive declaration; it says nothing of the type."""
    return bool(
        _unless(NOT_FOUND, link, lambda channel: _declare_exchange(link, channel, name, _PASSIVE))
    )


def make_exchange(link: Link, name: str) -> bool:
    """Declare it as it has to be; False where it is there and differs."""
    return bool(
        _unless(
            PRECONDITION_FAILED,
            link,
            lambda channel: _declare_exchange(link, channel, name, _DURABLE),
        )
    )


def make_queue(link: Link, queue: Queue) -> bool:
    """Declare it as it has to be; False where it is there and differs."""
    arguments = queue.arguments
    made = _unless(
        PRECONDITION_FAILED,
        link,
        lambda channel: _declare_queue(link, channel, queue.name, _DURABLE, arguments),
    )
    return made is not None


def bind(link: Link, queue: Queue) -> None:
    """Bind a queue by all its keys; a binding that is there already stays."""
    channel = link.open_channel()
    for key in queue.keys:
        names = (wire.shortstr(name) for name in (queue.name, queue.exchange, key))
        arguments = (wire.short(0), *names, wire.octet(0), wire.table({}))
        link.ask(channel, wire.QUEUE_BIND, wire.QUEUE_BIND_OK, *arguments)
    link.close_channel(channel)


def _unless(code: int, link: Link, ask: Callable[[int], _T]) -> _T | None:
    """An answer on a channel of its own; None where the broker closes the channel with `code`."""

    def once() -> _T:
        channel = link.open_channel()
        answer = ask(channel)
        link.close_channel(channel)
        return answer

    try:
        return patiently(link, once)
    except ChannelClosed as closed:
        if closed.code == code and not closed.leaderless:
            return None
        raise


def patiently(link: Link, ask: Callable[[], _T]) -> _T:
    """An answer, asked for again as long as a queue has no leader: a node that comes back takes
    connections before all its queues are there. Raises LinkLost."""
    until = time.monotonic() + link.patience_s
    while True:
        try:
            return ask()
        except ChannelClosed as closed:
            if not closed.leaderless or time.monotonic() > until:
                raise
        link.wait(0, lambda: False, _AGAIN_S)


def _declare_exchange(link: Link, channel: int, name: str, bits: int) -> bool:
    names = wire.shortstr(name) + wire.shortstr(TOPIC)
    arguments = (wire.short(0), names, wire.octet(bits), wire.table({}))
    link.ask(channel, wire.EXCHANGE_DECLARE, wire.EXCHANGE_DECLARE_OK, *arguments)
    return True


def _declare_queue(
    link: Link, channel: int, name: str, bits: int, arguments: Mapping[str, Argument]
) -> Depth:
    given = (wire.short(0), wire.shortstr(name), wire.octet(bits), wire.table(arguments))
    answer = link.ask(channel, wire.QUEUE_DECLARE, wire.QUEUE_DECLARE_OK, *given)
    answer.shortstr()
    return Depth(answer.long(), answer.long())
