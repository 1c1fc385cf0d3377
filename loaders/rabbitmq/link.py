"""One connection to a RabbitMQ: its socket, frames in and out, heartbeats, and what ends it.

One thread works with a link; another of its own does whenever that one is elsewhere. It sends what
is queued, so that the broker has work while the next window is read, encoded and written down. And
it keeps heartbeats going, so that a writer that waits for its turn, or a reader whose reader is
slow, is not taken for dead.
"""

import select
import ssl
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from loaders.rabbitmq import handshake, wire
from loaders.rabbitmq.address import Address
from loaders.rabbitmq.lost import LinkLost
from loaders.rabbitmq.outgoing import Outgoing
from loaders.rabbitmq.wire import Method, Reader

_READ = 1024 * 1024
_STEP_S = 0.25
_IDLE_S = 5.0
_CLOSING_S = 2.0

Handler = Callable[[int, bytes], None]
"""Takes the frames of one channel: type and payload."""


class Link:
    """An open connection. Everything raises LinkLost where it is or gets lost."""

    def __init__(self, address: Address, purpose: str) -> None:
        """`purpose`: what the broker's list of connections shows of us."""
        self._address = address
        self._lock = threading.RLock()
        self._in = bytearray()
        self._behind = threading.Event()
        self._handlers: dict[int, Handler] = {}
        self._replies: deque[tuple[int, Method, bytes]] = deque()
        self._closed_channels: dict[int, LinkLost] = {}
        self._lost: LinkLost | None = None
        self._heartbeat = float(address.heartbeat_s)
        self._sent = self._heard = time.monotonic()
        self._ended = threading.Event()
        self._channels = 0
        self.frame_max = handshake.TUNED_FRAME
        self.blocked: str | None = None
        """Why the broker takes nothing from publishers at present, in its own words."""
        self._socket = handshake.connected(address)
        self._out = Outgoing(self._socket)
        try:
            self._begin(purpose)
        except BaseException:
            self._socket.close()
            raise
        self._keeper = threading.Thread(target=self._keep, name="amqp-keeper", daemon=True)
        self._keeper.start()

    def open_channel(self, handler: Handler | None = None) -> int:
        """A new channel; `handler` takes its frames, but for answers to `ask`."""
        with self._lock:
            self._channels += 1
            number = self._channels
            self.ask(number, wire.CHANNEL_OPEN, wire.CHANNEL_OPEN_OK, wire.shortstr(""))
            if handler is not None:
                self._handlers[number] = handler
            return number

    def close_channel(self, channel: int) -> None:
        """Close a channel; what still comes for it is dropped."""
        with self._lock:
            self._handlers[channel] = _drop
            arguments = handshake.proper(200, "done")
            self.ask(channel, wire.CHANNEL_CLOSE, wire.CHANNEL_CLOSE_OK, arguments)
            del self._handlers[channel]

    def ask(self, channel: int, method: Method, answer: Method, *arguments: bytes) -> Reader:
        """Call a method and wait for its answer. Raises ChannelClosed besides."""
        with self._lock:
            self.write(wire.call(method, channel, *arguments))
            found: list[Reader] = []

            def answered() -> bool:
                for each in list(self._replies):
                    if each[:2] == (channel, answer):
                        self._replies.remove(each)
                        found.append(Reader(each[2]))
                        return True
                return False

            if not self.wait(channel, answered, self._address.timeout_s):
                raise LinkLost(f"gave no answer within {self._address.timeout_s} s")
            return found[0]

    def write(self, *data: bytes | memoryview) -> None:
        """Queue bytes and send as much as goes at once; the rest goes out by itself."""
        with self._lock:
            self._check()
            self._out.add(*data)
            self._pump(0.0)
            if self._out.size:
                self._behind.set()

    @property
    def queued(self) -> int:
        """How many bytes wait to be sent."""
        return self._out.size

    @property
    def patience_s(self) -> float:
        """How long an answer may take."""
        return self._address.timeout_s

    def wait(self, channel: int, done: Callable[[], bool], seconds: float) -> bool:
        """Send and take what comes until `done`, for so long; whether it is done."""
        until = time.monotonic() + seconds
        with self._lock:
            while True:
                self._check(channel)
                if done():
                    return True
                left = until - time.monotonic()
                if left <= 0:
                    return False
                self._pump(min(left, _STEP_S))

    def close(self) -> None:
        """Say goodbye, if anybody listens, and let go."""
        self._ended.set()
        self._behind.set()
        with self._lock:
            if self._lost is None:
                with suppress(LinkLost):
                    self._handlers.clear()
                    self.write(wire.call(wire.CLOSE, 0, handshake.proper(200, "done")))
                    self.wait(0, lambda: False, _CLOSING_S)
            self._lost = self._lost or LinkLost("is closed")
            self._socket.close()

    def _begin(self, purpose: str) -> None:
        """The opening of the connection: AMQP 0-9-1, 2.2.4."""
        self._socket.settimeout(0)
        address = self._address
        with self._lock:
            self.write(wire.PROTOCOL)
            self._expect(wire.START)
            login = b"\0" + address.user.encode() + b"\0" + address.password.encode()
            arguments = [wire.table(handshake.properties_of(purpose)), wire.shortstr("PLAIN")]
            arguments += [wire.longstr(login), wire.shortstr("en_US")]
            self.write(wire.call(wire.START_OK, 0, *arguments))
            tune = self._expect(wire.TUNE)
            channels, frame = tune.short(), tune.long()
            self.frame_max = min(frame or handshake.TUNED_FRAME, handshake.TUNED_FRAME)
            numbers = (wire.short(channels), wire.long(self.frame_max))
            self.write(wire.call(wire.TUNE_OK, 0, *numbers, wire.short(int(self._heartbeat))))
            self.ask(
                0,
                wire.OPEN,
                wire.OPEN_OK,
                wire.shortstr(address.vhost),
                wire.shortstr(""),
                wire.octet(0),
            )

    def _expect(self, method: Method) -> Reader:
        """Wait for what the broker says by itself."""
        if self.wait(0, lambda: bool(self._replies), self._address.timeout_s):
            _, found, payload = self._replies.popleft()
            if found == method:
                return Reader(payload)
        raise LinkLost("does not speak AMQP 0-9-1")

    def _keep(self) -> None:
        """What the link's own thread does: nothing as long as somebody else works here."""
        idle_s = min(self._heartbeat / 4, _IDLE_S) if self._heartbeat else _IDLE_S
        while True:
            if self._behind.wait(idle_s):
                self._wait_for_room()
            if self._ended.is_set():
                return
            if self._lock.acquire(timeout=_STEP_S):
                try:
                    self._pump(0.0)
                    if not self._out.size:
                        self._behind.clear()
                except LinkLost:
                    return
                finally:
                    self._lock.release()

    def _wait_for_room(self) -> None:
        """Until the socket takes or has something: without the lock, which others may want."""
        with suppress(OSError, ValueError):  # closed meanwhile: whoever works here is told
            select.select([self._socket], [self._socket], [], _STEP_S)

    def _check(self, channel: int = 0) -> None:
        if channel in self._closed_channels:
            raise self._closed_channels[channel]
        if self._lost is not None:
            raise self._lost

    def _pump(self, seconds: float) -> None:
        """Take and send once what can be, waiting at most so long for it."""
        try:
            pending = isinstance(self._socket, ssl.SSLSocket) and self._socket.pending()
            wanted = [self._socket] if self._out.size else []
            readable, writable, _ = select.select(
                [self._socket], wanted, [], 0 if pending else max(seconds, 0)
            )
            if readable or pending:
                self._read()
            if writable:
                self._send()
            self._beat()
        except LinkLost as lost:
            self._lose(lost)
        except (OSError, ValueError) as error:
            self._lose(LinkLost(f"was cut off ({type(error).__name__})"))
        except (struct.error, IndexError):
            self._lose(LinkLost("sent what is no AMQP 0-9-1"))

    def _read(self) -> None:
        try:
            data = self._socket.recv(_READ)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        if not data:
            raise ConnectionResetError
        self._heard = time.monotonic()
        self._in += data
        self._dispatch()

    def _send(self) -> None:
        if self._out.send():
            self._sent = time.monotonic()

    def _beat(self) -> None:
        """Heartbeats: AMQP 0-9-1, 4.2.7. An alarm suspends them on the broker's side."""
        if not self._heartbeat:
            return
        now = time.monotonic()
        if not self._out.size and now - self._sent > self._heartbeat / 2:
            self._out.add(wire.BEAT)
            self._send()
        if now - self._heard > 2 * self._heartbeat and self.blocked is None:
            self._lose(LinkLost(f"said nothing for {2 * self._heartbeat:.0f} s"))

    def _dispatch(self) -> None:
        """Hand out every whole frame that has come."""
        data, at, size = bytes(self._in), 0, len(self._in)
        unpack, overhead = wire.FRAME.unpack_from, wire.OVERHEAD
        while size - at >= overhead:
            kind, channel, length = unpack(data, at)
            end = at + overhead + length
            if end > size:
                break
            if data[end - 1] != wire.END:
                raise IndexError("a frame that does not end as frames do")
            payload = data[at + 7 : end - 1]
            at = end
            handler = self._handlers.get(channel)
            if handler is None or (kind == wire.METHOD and not wire.is_content(payload)):
                self._take(kind, channel, payload)
            else:
                handler(kind, payload)
        del self._in[:at]

    def _take(self, kind: int, channel: int, payload: bytes) -> None:
        """A frame that is no content of a channel's."""
        if kind != wire.METHOD:
            return
        method = wire.method_of(payload)
        if method in (wire.CLOSE, wire.CHANNEL_CLOSE):
            self._closed(channel, method, Reader(payload))
        elif method == wire.CLOSE_OK:
            self._lose(LinkLost("is closed"))
        elif method == wire.BLOCKED:
            self.blocked = Reader(payload).shortstr()
        elif method == wire.UNBLOCKED:
            self.blocked = None
            self._heard = time.monotonic()
        else:
            self._replies.append((channel, method, payload))

    def _closed(self, channel: int, method: Method, reader: Reader) -> None:
        code = reader.short()
        if method == wire.CLOSE:
            self._lose(LinkLost(handshake.closed_for(code)))
        self._closed_channels[channel] = handshake.channel_closed(code, reader.shortstr())
        self._handlers.pop(channel, None)
        self._out.add(wire.call(wire.CHANNEL_CLOSE_OK, channel))

    def _lose(self, lost: LinkLost) -> None:
        self._lost = self._lost or lost
        raise self._lost


def _drop(kind: int, payload: bytes) -> None:
    """What comes for a channel that nobody listens to."""
