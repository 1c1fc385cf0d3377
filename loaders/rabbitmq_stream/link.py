"""The publisher's connection: producers declared, parts sent, and all of it again after a break.

Sending a part twice does no harm: the stream knows the highest publishing id of a producer and
drops what is not above it.
"""

import logging
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TypeVar

import numpy as np
import pyarrow as pa

from loaders.columns import buffers, lengths
from loaders.rabbitmq_stream import frames
from loaders.rabbitmq_stream.connection import Connection, Frame
from loaders.rabbitmq_stream.frames import PUBLISH_HEAD_BYTES
from loaders.rabbitmq_stream.lost import Blocked, Leaderless, Lost, Refused
from loaders.rabbitmq_stream.outlets import Key, Part
from loaders.rabbitmq_stream.settings import Settings
from migrate.core.errors import BusRefused

_PUBLISHERS = 256  # on one connection
_FRAME = 4 * 1024 * 1024  # of one frame, where a message does not need more
_PAUSE_S = 0.2
PURPOSE = "publishes"
_GONE = (frames.NO_STREAM, frames.UNAVAILABLE, frames.NO_PUBLISHER)
_HINT = "look whether it runs and has its streams; then run again"

_T = TypeVar("_T")
_log = logging.getLogger("isb-migrate.rabbitmq")


class Link:
    """What goes out to the bus and what comes back. Everything may raise BusRefused."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._numbers: dict[Key, int] = {}
        self._taken: dict[Key, int] = {}  # the highest id that was confirmed
        self._open: list[Part] = []
        try:
            self._connection = Connection(settings, PURPOSE)
        except (Lost, Refused) as error:
            raise self.refused(f"cannot be reached: {error}", hint=error.hint) from None

    def send(self, parts: Sequence[Part]) -> None:
        """Send parts, in order. A break is mended as long as the bus comes back in time."""
        self._open += parts
        try:
            for part in parts:
                self._publish(part)
        except Lost as lost:
            self._anew(self._send_again, lost)

    def settle(self, parts: Sequence[Part]) -> None:
        """Wait until every record of these parts is answered for."""
        while any(part.left for part in parts):
            try:
                self._hear(self._connection.frame())
            except Lost as lost:
                self._anew(self._send_again, lost)
        self._open = [part for part in self._open if part.left]

    def highest(self, key: Key) -> int:
        """The highest publishing id of a producer on a stream; 0 where there is none. A stream
        that has no leader yet is waited for."""
        try:
            return self._ask_highest(key)
        except Refused as error:
            words = f"does not tell what it has: {error}"
            raise self.refused(words, key[0], error.hint) from None
        except Lost as lost:
            return self._anew(lambda: self._ask_highest(key), lost)

    def check_sizes(self, records: pa.LargeBinaryArray) -> None:
        """Raises BusRefused for a message that is larger than a frame may be."""
        limit = self._connection.frame_max
        largest = int(lengths(records).max(initial=0)) + PUBLISH_HEAD_BYTES
        if limit and largest > limit:
            raise BusRefused(
                f'the bus "{self._settings.bus}" takes frames of {limit:,} bytes; a message needs '
                f"{largest:,}",
                hint="raise stream.frame_max in its rabbitmq.conf (16 MiB at most are used)",
            )

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def refused(self, words: str, stream: str | None = None, hint: str | None = None) -> BusRefused:
        """An error that names the bus."""
        where = f'the bus "{self._settings.bus}" at {self._settings.shown}'
        where += f' (stream "{stream}")' if stream else ""
        return BusRefused(f"{where} {words}", hint=hint or _HINT)

    def _publish(self, part: Part) -> None:
        number = self._number(part.segment.key)
        offsets, data = buffers(part.records)
        room = min(self._connection.frame_max or _FRAME, _FRAME) - PUBLISH_HEAD_BYTES
        for start, end in _pieces(offsets, room):
            piece = data[offsets[start] : offsets[end]]
            head = frames.publish_head(number, end - start, len(piece))
            self._connection.send([head, piece])

    def _number(self, key: Key) -> int:
        """The number of a producer on this connection, declared when it is first needed."""
        if key in self._numbers:
            return self._numbers[key]
        if len(self._numbers) >= _PUBLISHERS:
            self._retire()
        number = min(set(range(_PUBLISHERS)) - set(self._numbers.values()))
        stream, producer = key
        content = (bytes([number]), frames.text(producer), frames.text(stream))
        try:
            self._connection.request(frames.DECLARE_PUBLISHER, *content)
        except Refused as error:
            if error.code == frames.UNAVAILABLE:
                raise Leaderless(f'the stream "{stream}" has no leader') from None
            if error.code == frames.PRECONDITION:  # nothing else stands against names of ours
                raise Blocked("the server takes nothing while its disk is short") from None
            raise self.refused(f"takes no messages: {error}", stream, error.hint) from None
        self._numbers[key] = number
        return number

    def _retire(self) -> None:
        """Give up the producer that has been idle for the longest."""
        busy = {part.segment.key for part in self._open if part.left}
        for key in [key for key in self._numbers if key not in busy][:1]:
            number = bytes([self._numbers.pop(key)])
            with suppress(Refused):
                self._connection.request(frames.DELETE_PUBLISHER, number)
            return
        raise self.refused("has more streams than one connection can publish to")

    def _hear(self, frame: Frame) -> None:
        """Note what a frame says of parts under way. Raises Lost where producers are gone."""
        key, content = frame
        if key == frames.METADATA_UPDATE:
            stream = frames.Content(content, 2).text()
            if any(stream == part.segment.stream for part in self._open if part.left):
                raise Lost("a stream went away")
        elif key in (frames.CONFIRM, frames.PUBLISH_ERROR):
            of = next((each for each, n in self._numbers.items() if n == content[0]), None)
            parts = [part for part in self._open if part.segment.key == of]
            if key == frames.CONFIRM:
                self._confirm(parts, np.frombuffer(content, ">u8", offset=5).astype(np.int64))
            else:
                _refuse(parts, content[5:])

    def _confirm(self, parts: Sequence[Part], ids: np.ndarray) -> None:
        for part in parts:
            part.confirm(ids)
        if len(ids) and parts:
            key = parts[0].segment.key
            self._taken[key] = max(self._taken.get(key, 0), int(ids.max()))

    def _anew(self, work: Callable[[], _T], lost: Lost) -> _T:
        """Connect again and do what broke off. Raises BusRefused once patience ends."""
        patience_s = self._settings.patience_s
        until = time.monotonic() + patience_s
        told: type[Lost] | None = None
        while time.monotonic() < until:
            if type(lost) is not told:
                told = type(lost)
                words = 'the bus "%s": %s; waiting for up to %.0f s'
                _log.warning(words, self._settings.bus, lost, patience_s)
            self._connection.close()
            self._numbers = {}
            try:
                self._connection = Connection(self._settings, PURPOSE)
                return work()
            except Lost as again:
                lost = again
                time.sleep(_PAUSE_S)
            except Refused as error:
                raise self.refused(f"does not let us in: {error}", hint=error.hint) from None
        words = f"was not to be had for {patience_s:.0f} s: {lost}"
        raise self.refused(words, hint=lost.hint)

    def _send_again(self) -> None:
        for part in [part for part in self._open if part.left]:
            key = part.segment.key
            self._number(key)
            highest = self._ask_highest(key)
            if highest < self._taken.get(key, 0):
                raise self.refused("came back without messages that it had confirmed", key[0])
            part.begin_again(highest)
            if part.left:
                self._publish(part)

    def _ask_highest(self, key: Key) -> int:
        """Raises Lost and Refused. Asked of a stream without a leader, the server would close the
        connection."""
        stream, producer = key
        if self._connection.metadata([stream]).get(stream) == frames.UNAVAILABLE:
            raise Leaderless(f'the stream "{stream}" has no leader')
        content = (frames.text(producer), frames.text(stream))
        return self._connection.request(frames.QUERY_SEQUENCE, *content).number(8)


def _refuse(parts: Sequence[Part], errors: bytes) -> None:
    """Note publishing errors: id and code each. Raises Lost where the producer is gone."""
    for publishing_id, code in struct.iter_unpack(">QH", errors):
        if code in _GONE:
            raise Lost(frames.CODES[code])
        for part in parts:
            part.refuse(publishing_id, code)


def _pieces(offsets: np.ndarray, room: int) -> Iterator[tuple[int, int]]:
    """Ranges of records that fit into one frame; one that needs more has a frame of its own."""
    start, count = 0, len(offsets) - 1
    while start < count:
        end = int(np.searchsorted(offsets, offsets[start] + room, "right")) - 1
        end = min(max(end, start + 1), count)
        yield start, end
        start = end
