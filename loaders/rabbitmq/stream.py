"""Reading streams over AMQP 0-9-1 without taking from them.

An acknowledgement only asks for more. A consumer of a stream begins with an offset, or with the
`last` chunk: https://www.rabbitmq.com/docs/streams#consuming.
"""

import time
from collections.abc import Iterator, Sequence

from loaders.rabbitmq import wire
from loaders.rabbitmq.decode import Head, head_of
from loaders.rabbitmq.link import Link
from loaders.rabbitmq.lost import LinkLost
from loaders.rabbitmq.queues import depth, patiently

_PREFETCH = 4_000
_ACK_EVERY = 1_000
_ROWS, _BYTES = 2_000, 16 * 1024 * 1024
_GRACE_S = 0.5
"""For how long nothing must come before a stream is taken to have said all it had to say."""
COUNTED_S = 6.0
"""For how long nothing must come before a stream's count can be relied on: it is taken every five
seconds, and is 0 until then where a node has just started."""

Message = tuple[Head, bytes]


class Gone(LinkLost):
    """The stream was deleted, or moved, while it was read."""


class Tap:
    """One consumer of one stream, on a channel of its own."""

    def __init__(self, link: Link, stream: str, start: int | str) -> None:
        """Begin with the chunk that holds an offset, or with `first` or `last`."""
        self.stream = stream
        self.size = 0
        """Bytes of bodies that wait."""
        self._link = link
        self._waiting: list[tuple[bytes, bytes]] = []
        self._header = b""
        self._body: list[bytes] = []
        self._left = 0
        self._taken = self._acked = self._tag = 0
        self._gone = False
        self._channel = link.open_channel(self._take)
        qos = (wire.long(0), wire.short(_PREFETCH), wire.octet(0))
        link.ask(self._channel, wire.QOS, wire.QOS_OK, *qos)
        names = wire.shortstr(stream) + wire.shortstr("witness")
        arguments = (wire.short(0), names, wire.octet(0), wire.table({"x-stream-offset": start}))
        link.ask(self._channel, wire.CONSUME, wire.CONSUME_OK, *arguments)

    @property
    def waiting(self) -> int:
        """Messages that came and were not taken yet."""
        return len(self._waiting)

    def wait(self, rows: int, seconds: float) -> bool:
        """Wait for so many messages, or a batch's worth of bytes. Raises Gone."""

        def enough() -> bool:
            return self._gone or self.waiting >= rows or self.size >= _BYTES

        done = self._link.wait(self._channel, enough, seconds)
        if self._gone:
            raise Gone(f'no longer has the stream "{self.stream}"')
        return done

    def take(self) -> list[Message]:
        """What has come, in order; more is asked for."""
        found, self._waiting, self.size = self._waiting, [], 0
        self._taken += len(found)
        if self._taken - self._acked >= _ACK_EVERY:
            self._acked = self._taken
            tag = wire.longlong(self._taken)
            self._link.write(wire.call(wire.ACK, self._channel, tag, wire.octet(1)))
        return [(head_of(header), body) for header, body in found]

    def close(self) -> None:
        """Ask for no more."""
        if not self._gone:
            self._link.close_channel(self._channel)

    def _take(self, kind: int, payload: bytes) -> None:
        if kind == wire.BODY:
            self._body.append(payload)
            self._left -= len(payload)
        elif kind == wire.HEADER:
            self._header = payload
            self._left = int.from_bytes(payload[4:12], "big")
        elif wire.method_of(payload) == wire.CANCEL:
            self._gone = True
            return
        else:
            return
        if self._left <= 0:
            body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
            self._waiting.append((self._header, body))
            self.size += len(body)
            self._body = []


def ends(
    link: Link, streams: Sequence[str], patience_s: float, quiet_s: float = _GRACE_S
) -> dict[str, int]:
    """The offset behind the last message of every stream, 0 for an empty one.

    The message counts of a queue lag some seconds behind, so each is asked for its last chunk,
    all at once. A stream that has messages by its count is waited for, and one that has no leader
    yet; one that seems to be empty is believed after so many seconds. Raises LinkLost.
    """
    taps = [_tap(link, stream, "last") for stream in streams]
    found = dict.fromkeys(streams, 0)
    until = time.monotonic() + patience_s
    quiet_since = time.monotonic()
    while True:
        for tap in taps:
            tap.wait(1, 0)
            if messages := tap.take():
                found[tap.stream] = (messages[-1][0].offset or 0) + 1
                quiet_since = time.monotonic()
        if time.monotonic() - quiet_since > (_GRACE_S if all(found.values()) else quiet_s):
            silent = [stream for stream, end in found.items() if not end and _holds(link, stream)]
            if not silent:
                break
            if time.monotonic() > until:
                raise LinkLost(f'says nothing of the stream "{silent[0]}"')
        link.wait(0, lambda: any(tap.waiting for tap in taps), _GRACE_S / 4)
    for tap in taps:
        tap.close()
    return found


def floors(link: Link, streams: Sequence[str]) -> dict[str, int]:
    """The offset that the end of every stream has reached at least; 0 where none is known.

    Only streams that have messages by their count are asked, and none is waited for beyond the
    answers that come at once: what the count does not know of yet makes the floor lower, never
    wrong. Raises LinkLost.
    """
    found = dict.fromkeys(streams, 0)
    taps = [_tap(link, stream, "last") for stream in streams if _holds(link, stream)]
    until = time.monotonic() + _GRACE_S
    for tap in taps:
        tap.wait(1, max(until - time.monotonic(), 0))
        if messages := tap.take():
            found[tap.stream] = (messages[-1][0].offset or 0) + 1
        tap.close()
    return found


def beginning(link: Link, stream: str, patience_s: float) -> int:
    """The offset of the first message that a stream with messages still has. Raises LinkLost."""
    tap = _tap(link, stream, "first")
    if not tap.wait(1, patience_s):
        raise _silent(stream, patience_s)
    offset = tap.take()[0][0].offset or 0
    tap.close()
    return offset


def read(
    link: Link, stream: str, first: int, end: int, patience_s: float
) -> Iterator[list[Message]]:
    """The messages of a stream from one offset up to, not including, another; in batches.

    Those that retention has dropped are missing. Not every offset is a message's: RabbitMQ gives
    some to what it keeps of its own at the beginning of a segment. Raises LinkLost.
    """
    if first >= end:
        return
    tap = _tap(link, stream, first)
    offset = first - 1
    while offset < end - 1:
        if not tap.wait(_ROWS, 0) and not tap.waiting and not tap.wait(1, patience_s):
            raise _silent(stream, patience_s)
        tap.wait(_ROWS, _GRACE_S / 25)
        messages = tap.take()
        offset = messages[-1][0].offset or 0
        # The broker begins with the chunk that holds the first one.
        if batch := [each for each in messages if first <= (each[0].offset or 0) < end]:
            yield batch
    tap.close()


def _tap(link: Link, stream: str, start: int | str) -> Tap:
    return patiently(link, lambda: Tap(link, stream, start))


def _silent(stream: str, patience_s: float) -> LinkLost:
    return LinkLost(f'said nothing of the stream "{stream}" for {patience_s:.0f} s')


def _holds(link: Link, stream: str) -> bool:
    found = depth(link, stream)
    return found is not None and found.messages > 0
