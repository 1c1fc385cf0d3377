"""A connection to a live broker that browses and never consumes.

Nothing is acknowledged, not even that it was delivered. Heartbeats: either side says something at
least every few seconds; a broker that says nothing for the store's `timeout_s` is given up.
"""

import json
import socket
import struct
import time
import uuid
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from extractors.activemq import openwire as wire
from extractors.activemq.address import Address
from extractors.activemq.bodies import body_of
from extractors.activemq.frames import decode
from extractors.activemq.primitives import BROKEN
from migrate.core.errors import LegacyUnreadable

MAX_FRAME = 256 * 1024 * 1024
_HEARTBEAT_S = 5
_IDLE_MS = 30_000
_ADVISED = "ActiveMQ.Advisory.Queue"
_CONNECTIONS = "ActiveMQ.Advisory.Connection"
_STATISTICS = "ActiveMQ.Statistics.Destination."
_RUN_AGAIN = "run the same command again; options.timeout_s allows a slow broker more"
_NO_PLUGIN = (
    "has the broker its StatisticsPlugin? If not, it has kept the question as a message for a "
    'minute; then say options = { statistics = "none" }'
)


class BrokerClient:
    """One connection with one session. Raises LegacyUnreadable for whatever the broker will not
    do; of its errors only the class is told."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._names = wire.Names(f"ID:isb-migrate-{uuid.uuid4().hex}-1:1")
        self._number = 0
        self._consumers = 0
        self._messages = 0
        self._buffer = bytearray()
        self._at = 0
        self._version = wire.OLDEST
        self._replies: bytes | None = None
        self._replies_to = 0
        self._hint = _RUN_AGAIN  # for whoever loses the broker now
        self._sent_at = time.monotonic()
        self._socket = self._connected()
        try:
            self._introduce()
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close(at_peace=error is None)

    def close(self, *, at_peace: bool = False) -> None:
        """Say goodbye; `at_peace`: and wait until the broker has forgotten this connection."""
        try:
            if at_peace:
                self._ask(wire.REMOVE, wire.remove_info(self._names))
            self._send(wire.SHUTDOWN)
        except LegacyUnreadable:
            pass  # it is gone already
        finally:
            self._socket.close()

    def browse(self, queue: str) -> Iterator[bytes]:
        """The frames of a queue's messages, first to last, as far as the broker gives them."""
        number = self._subscribe(self._queue(queue), browser=True)
        answered = ended = False
        while not (answered and ended):
            data = self._command()
            if data[0] == wire.RESPONSE:
                answered = True
                continue
            found = self._dispatched(data, number)
            if found is None:
                continue
            if found.frame is None:
                ended = True
            else:
                yield found.frame

    def queues(self) -> list[str]:
        """The names of all queues there are: what the broker advises everybody of who asks.

        Raises LegacyUnreadable where it advises nobody (`advisorySupport="false"`).
        """
        if not self._advised(_CONNECTIONS):  # our own connection at least
            raise LegacyUnreadable(
                f"{self._address.shown} does not say which queues it has",
                hint='it runs with advisorySupport="false", or this account may not read '
                "ActiveMQ.Advisory topics",
            )
        try:
            names = {decode(frame).advised for frame in self._advised(_ADVISED)}
        except BROKEN:
            raise self._nonsense() from None
        return sorted(name.removeprefix("queue://") for name in names if name)

    def statistics(self, queue: str) -> dict[str, int]:
        """What the broker's StatisticsPlugin counts of a queue: `size`, `dequeueCount` …

        Ask only a broker that runs the plugin: another keeps the question as a message.
        """
        if self._replies is None:
            self._replies = wire.temporary_queue(self._names)
            self._ask(wire.DESTINATION, wire.destination_info(self._names, self._replies))
            self._ask(wire.PRODUCER, wire.producer_info(self._names))
            number = self._subscribe(self._replies, browser=False)
            while self._command()[0] != wire.RESPONSE:
                pass
            self._replies_to = number
        self._messages += 1
        asked = wire.empty_message(
            self._names,
            self._version,
            self._messages,
            self._queue(f"{_STATISTICS}{queue}"),
            self._replies,
            int(time.time() * 1000),
        )
        self._hint = _NO_PLUGIN
        self._send(wire.MESSAGE, asked)
        while True:
            found = self._dispatched(self._command(), self._replies_to)
            if found is not None and found.frame is not None:
                self._hint = _RUN_AGAIN
                return self._numbers(found.frame)

    def _numbers(self, frame: bytes) -> dict[str, int]:
        try:
            values = json.loads(body_of(decode(frame)).data or b"{}")
        except BROKEN:
            raise self._nonsense() from None
        return {name: value for name, value in values.items() if isinstance(value, int)}

    def _advised(self, topic: str) -> list[bytes]:
        """Everything that the broker has to say at once to who listens to one of its topics."""
        number = self._subscribe(wire.topic(topic), browser=False)
        frames: list[bytes] = []
        while True:
            data = self._command()
            if data[0] == wire.RESPONSE:
                return frames
            found = self._dispatched(data, number)
            if found is not None and found.frame is not None:
                frames.append(found.frame)

    def _queue(self, name: str) -> bytes:
        try:
            return wire.queue(name)
        except ValueError:
            raise LegacyUnreadable("a queue's name is too long for the protocol") from None

    def _subscribe(self, destination: bytes, *, browser: bool) -> int:
        self._consumers += 1
        body = wire.consumer_info(
            self._names, self._version, self._consumers, destination, browser=browser
        )
        self._send(wire.CONSUMER, body, answered=True)
        return self._consumers

    def _dispatched(self, data: bytes, consumer: int) -> wire.Dispatch | None:
        """What a command brings to a consumer, if it brings anything."""
        if data[0] != wire.DISPATCH:
            return None
        try:
            found = wire.dispatch_of(data)
        except BROKEN:
            raise self._nonsense() from None
        return found if found.consumer == consumer else None

    def _introduce(self) -> None:
        """Wire format, connection, session."""
        self._write(wire.wire_format(_IDLE_MS))
        try:
            theirs = wire.version_of(self._frame())
        except BROKEN:
            raise self._nonsense() from None
        self._version = min(theirs, wire.NEWEST)
        if self._version < wire.OLDEST:
            raise LegacyUnreadable(
                f"{self._address.shown} speaks OpenWire {theirs}; {wire.OLDEST} is the oldest read",
                hint="stop the broker and read its store",
            )
        user, password = self._address.user, self._address.password
        info = wire.connection_info(self._names, self._version, user, password)
        self._ask(wire.CONNECTION, info)
        self._ask(wire.SESSION, self._names.session_id())

    def _ask(self, kind: int, body: bytes) -> None:
        """Send a command and wait until the broker says that it was done."""
        self._send(kind, body, answered=True)
        while self._command()[0] != wire.RESPONSE:
            pass

    def _send(self, kind: int, body: bytes = b"", *, answered: bool = False) -> None:
        self._number += 1
        self._write(wire.command(kind, self._number, body, answered=answered))

    def _write(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise self._lost(type(error).__name__) from None
        self._sent_at = time.monotonic()

    def _command(self) -> bytes:
        """The next command that means something here; heartbeats alone are no answer."""
        asked_at = time.monotonic()
        while True:
            data = self._frame()
            if len(data) < 6:
                raise self._nonsense()
            if data[0] in (wire.EXCEPTION, wire.CONNECTION_ERROR):
                raise self._refused(wire.failure_of(data))
            if data[0] in (wire.RESPONSE, wire.DISPATCH):
                return data
            if data[0] == wire.SHUTDOWN:
                raise self._lost("it shuts down")
            if time.monotonic() - asked_at >= self._address.timeout_s:
                raise self._lost(f"no answer for {self._address.timeout_s} s")

    def _frame(self) -> bytes:
        size = struct.unpack(">i", self._exactly(4))[0]
        if not 1 <= size <= MAX_FRAME:
            raise self._nonsense()
        return self._exactly(size)

    def _exactly(self, size: int) -> bytes:
        while len(self._buffer) - self._at < size:
            if self._at:
                del self._buffer[: self._at]
                self._at = 0
            self._buffer += self._received()
        data = bytes(self._buffer[self._at : self._at + size])
        self._at += size
        return data

    def _received(self) -> bytes:
        """Some bytes; heartbeats are sent on time whether or not there are any."""
        waiting_since = time.monotonic()
        while True:
            if time.monotonic() - self._sent_at >= _HEARTBEAT_S:
                self._send(wire.KEEP_ALIVE)
            try:
                data = self._socket.recv(1 << 18)
            except TimeoutError:
                if time.monotonic() - waiting_since >= self._address.timeout_s:
                    raise self._lost(f"it said nothing for {self._address.timeout_s} s") from None
                continue
            except OSError as error:
                raise self._lost(type(error).__name__) from None
            if not data:
                raise self._lost("it closed the connection")
            return data

    def _connected(self) -> socket.socket:
        address = self._address
        context = address.context()
        try:
            found = socket.create_connection((address.host, address.port), address.timeout_s)
            if context is not None:
                found = context.wrap_socket(found, server_hostname=address.host)
        except OSError as error:
            raise LegacyUnreadable(
                f"{address.shown} cannot be reached ({type(error).__name__})",
                hint="is the broker's OpenWire connector there, and (ssl://) its certificate "
                "one that ca_file vouches for?",
            ) from None
        found.settimeout(min(_HEARTBEAT_S, address.timeout_s))
        return found

    def _lost(self, why: str) -> LegacyUnreadable:
        return LegacyUnreadable(
            f"{self._address.shown} was lost while it was read ({why})", hint=self._hint
        )

    def _refused(self, name: str) -> LegacyUnreadable:
        return LegacyUnreadable(
            f"{self._address.shown} refused ({name})",
            hint="look at user and password, and at this account's right to read the queues and "
            "ActiveMQ.Advisory topics; the broker's log says more",
        )

    def _nonsense(self) -> LegacyUnreadable:
        return LegacyUnreadable(
            f"{self._address.shown} does not speak OpenWire as it should",
            hint="name the OpenWire connector (61616), not that of AMQP, STOMP or MQTT",
        )
