"""A connection to a live RabbitMQ: counting, streams from an offset, classic queues given back."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from extractors.rabbitmq.address import Address
from extractors.rabbitmq.message import Told, told
from extractors.rabbitmq.spool import Spool
from extractors.rabbitmq.tap import Tap
from migrate.core.errors import LegacyUnreadable

_PAUSE_S = 0.05
_HEARTBEAT_S = 600
"""Long, since nobody answers heartbeats while a chunk is written."""


class Extent(NamedTuple):
    """The offsets of the first and last message of a stream."""

    first: int
    last: int


@contextmanager
def linked(address: Address) -> Iterator["Link"]:
    """A connection, closed at the end, by which the broker takes back whatever it had given."""
    from pika.exceptions import AMQPError

    connection = _connected(address)
    try:
        yield Link(connection, address)
    except AMQPError as error:
        raise _refused(address, error) from None
    finally:
        with suppress(AMQPError):
            connection.close()


def _connected(address: Address) -> Any:
    import pika
    from pika.exceptions import AMQPError

    options = pika.SSLOptions(address.context(), address.host) if address.tls else None
    parameters = pika.ConnectionParameters(
        host=address.host,
        port=address.port,
        virtual_host=address.vhost,
        credentials=pika.PlainCredentials(address.user, address.password),
        ssl_options=options,
        heartbeat=_HEARTBEAT_S,
        socket_timeout=address.timeout_s,
        blocked_connection_timeout=address.timeout_s,
        client_properties={"connection_name": "isb-migrate (reading)"},
    )
    try:
        return pika.BlockingConnection(parameters)
    except (AMQPError, OSError) as error:
        raise _refused(address, error) from None


def _refused(address: Address, error: Exception) -> LegacyUnreadable:
    return LegacyUnreadable(
        f"{address.shown} refused or was lost ({type(error).__name__})",
        hint="look at user, password, virtual host and the right to read; the broker's log "
        "says more",
    )


class Link:
    """What can be asked of an open connection."""

    def __init__(self, connection: Any, address: Address) -> None:
        self._connection = connection
        self._address = address

    def count(self, queue: str) -> int:
        """Messages of a classic or quorum queue that nobody holds."""
        return int(self._declared(self._connection.channel(), queue).message_count)

    def extent(self, stream: str) -> Extent | None:
        """Which offsets a stream has now; None if it is empty.

        Not by `message_count`, which lags behind. The broker is asked for the last chunk, and then
        something else: what was there of the stream comes before the answer to that.
        """
        with linked(self._address) as link:
            last = link._tap(stream, "last").to_the_end()
        if last is None:
            return None
        with linked(self._address) as link:
            first = link._tap(stream, "first").next(self._address.timeout_s)
        return None if first is None else Extent(first[0], last)

    def stream(self, name: str, first: int, last: int) -> Iterator[tuple[Told, bytes]]:
        """The messages of a stream from one offset to another; those that retention has dropped
        are missing."""
        tap, seconds = self._tap(name, first), self._address.timeout_s
        try:
            offset = -1
            while offset < last:
                found = tap.next(seconds)
                if found is None:
                    raise LegacyUnreadable(
                        f'the stream "{name}" of {self._address.shown} said nothing'
                        f" for {seconds} s",
                        hint="run the same command again; options.timeout_s allows more",
                    )
                offset, message, body = found
                if first <= offset <= last:  # the broker begins with the chunk that holds the first
                    yield message, body
        finally:
            tap.drain()

    def borrow(self, queue: str) -> Spool:
        """All messages of a classic queue that nobody holds: taken without acknowledgement, kept
        on disk here, and given back. Raises LegacyUnreadable where somebody else reads the queue.
        """
        spool = Spool(queue)
        try:
            channel = self._connection.channel()
            before = self._declared(channel, queue)
            if before.consumer_count:
                raise self._shared(queue, f"{before.consumer_count} consumers read it")
            for _ in range(before.message_count):
                method, properties, body = channel.basic_get(queue, auto_ack=False)
                if method is None:
                    break
                spool.take(told(queue, method, properties), body)
            held = len(spool.seen)
            channel.close()  # gives all back; telling the broker so takes it the square of the time
            left = self._given_back(queue, held)
            if held < before.message_count or left < held:
                numbers = f"{before.message_count:,} were there, {held:,} came, {left:,} are back"
                raise self._shared(queue, numbers)
        except BaseException:
            spool.close()
            raise
        return spool

    def _given_back(self, queue: str, held: int) -> int:
        """How many messages the queue has again, as soon as it has as many as were given back; the
        broker counts before it has done so."""
        until = time.monotonic() + self._address.timeout_s
        channel = self._connection.channel()
        while True:
            left = int(self._declared(channel, queue).message_count)
            if left >= held or time.monotonic() > until:
                return left
            self._connection.sleep(_PAUSE_S)

    def _tap(self, stream: str, start: int | str) -> Tap:
        return Tap(self._connection, stream, start)

    def _declared(self, channel: Any, queue: str) -> Any:
        return channel.queue_declare(queue, passive=True).method

    def _shared(self, queue: str, why: str) -> LegacyUnreadable:
        return LegacyUnreadable(
            f'the queue "{queue}" cannot be read while others do ({why})',
            hint="stop its consumers for as long as it takes; what was taken has been given back",
        )
