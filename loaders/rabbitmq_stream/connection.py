"""One connection to a RabbitMQ's stream listener: logging in, requests, frames, heartbeats."""

import socket
import ssl
import struct
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from threading import Event, Lock, Thread

from loaders.rabbitmq_stream import frames
from loaders.rabbitmq_stream.frames import Content
from loaders.rabbitmq_stream.lost import Lost, Refused, Strange, Untrusted
from loaders.rabbitmq_stream.settings import Settings
from migrate.core.closing import Closing

HEARTBEAT_S = 60
FRAME_BYTES = 16 * 1024 * 1024
"""As much as is asked for; the server may allow less."""

_PIECE = 1024 * 1024
_CONNECT_S = 10.0
_SLICE_S = 5.0  # of waiting, so that heartbeats go out meanwhile

Frame = tuple[int, bytes]
"""Key and content of a frame that answers no request."""


class Connection(Closing):
    """Used by one thread; another one sends heartbeats while that one is elsewhere.

    Everything may raise Lost; after that nothing but `close` is of use.
    """

    def __init__(self, settings: Settings, purpose: str) -> None:
        """Connect and log in. Raises Refused, too."""
        self.patience_s = settings.patience_s
        self._using = Lock()  # TLS suffers no two threads at once, be it reading and writing
        self._correlation = 0
        self._waiting: deque[Frame] = deque()
        self._over = Event()
        self._socket = _connected(settings)
        self._held = bytearray()
        self._at = 0
        self._beat_s = HEARTBEAT_S / 2
        self._sent = time.monotonic()
        try:
            self.frame_max, heartbeat = self._log_in(settings, purpose)
        except BaseException:
            self.close()
            raise
        if heartbeat:
            self._beat_s = heartbeat / 2
            Thread(target=self._beat, daemon=True).start()

    def request(self, key: int, *parts: bytes) -> Content:
        """Ask, and wait for the answer. Raises Refused for every answer that is not OK."""
        answer = self._ask(key, *parts)
        code = answer.number(2)
        if code != frames.OK:
            raise Refused(code)
        return answer

    def metadata(self, streams: Sequence[str]) -> dict[str, int]:
        """A response code for each of these streams."""
        answer = self._ask(frames.METADATA, frames.names(streams))
        for _ in range(answer.number(4)):
            answer.number(2)
            answer.text()
            answer.number(4)
        codes: dict[str, int] = {}
        for _ in range(answer.number(4)):
            name, code = answer.text(), answer.number(2)
            answer.number(2)
            for _ in range(answer.number(4)):
                answer.number(2)
            codes[name] = code
        return codes

    def send(self, pieces: Sequence[bytes | memoryview]) -> None:
        """Whole frames, in pieces; as long as the server takes some of it within its time."""
        with self._using:
            for piece in pieces:
                self._send(memoryview(piece))
            self._sent = time.monotonic()

    def frame(self, patience_s: float | None = None) -> Frame:
        """The next frame that answers no request, waited for; heartbeats pass unseen."""
        if self._waiting:
            return self._waiting.popleft()
        until = time.monotonic() + (self.patience_s if patience_s is None else patience_s)
        while True:
            key, content = self._read(until)
            if not key & frames.RESPONSE:
                return key, content

    def arrived(self) -> list[Frame]:
        """Frames that came while a request waited for its answer."""
        found, self._waiting = list(self._waiting), deque()
        return found

    def close(self) -> None:
        """Say goodbye if anybody listens, and let go."""
        self._over.set()
        with suppress(OSError):
            self._socket.settimeout(1)
            head = struct.pack(">I", self._correlation + 1)
            goodbye = frames.frame(frames.CLOSE, head, b"\x00\x01", frames.text("done"))
            self._socket.sendall(goodbye)
        self._socket.close()

    def _log_in(self, settings: Settings, purpose: str) -> tuple[int, int]:
        about = {"product": "isb-migrate", "connection_name": f"isb-migrate {purpose}"}
        try:
            self.request(frames.PEER_PROPERTIES, frames.texts(about))
        except Lost as lost:
            raise Strange(f"no stream listener answers there: {lost}") from None
        self.request(frames.SASL_HANDSHAKE)
        secret = f"\0{settings.user}\0{settings.password}".encode()
        plain = struct.pack(">I", len(secret)) + secret
        self.request(frames.SASL_AUTHENTICATE, frames.text("PLAIN"), plain)
        key, content = self.frame()
        if key != frames.TUNE:
            raise Lost("the server does not go on behind logging in")
        allowed, beat = struct.unpack(">II", content[:8])
        frame_max = min(allowed, FRAME_BYTES) if allowed else 0
        heartbeat = min(beat, HEARTBEAT_S)
        self.send([frames.frame(frames.TUNE, struct.pack(">II", frame_max, heartbeat))])
        self.request(frames.OPEN, frames.text(settings.vhost))
        return frame_max, heartbeat

    def _ask(self, key: int, *parts: bytes) -> Content:
        self._correlation += 1
        head = struct.pack(">I", self._correlation)
        self.send([frames.frame(key, head, *parts)])
        until = time.monotonic() + self.patience_s
        while True:
            found, content = self._read(until)
            if found != key | frames.RESPONSE:
                self._waiting.append((found, content))
            elif content[:4] == head:
                return Content(content, 4)

    def _read(self, until: float) -> Frame:
        """The next frame but heartbeats; the server may have closed the connection."""
        while True:
            size, key, _ = struct.unpack(">IHH", self._bytes(8, until))
            content = self._bytes(size - 4, until)
            if key == frames.CLOSE:
                raise Lost(self._closed(content))
            if key != frames.HEARTBEAT:
                return key, content

    def _bytes(self, count: int, until: float) -> bytes:
        if count < 0:
            raise Lost("the server sends no frames")
        while len(self._held) - self._at < count:
            self._more(until)
        data = bytes(memoryview(self._held)[self._at : self._at + count])
        self._at += count
        return data

    def _more(self, until: float) -> None:
        """Wait for some bytes; heartbeats go out meanwhile."""
        del self._held[: self._at]
        self._at = 0
        while (left := until - time.monotonic()) > 0:
            try:
                with self._using:
                    self._socket.settimeout(min(left, _SLICE_S))
                    data = self._socket.recv(_PIECE)
            except TimeoutError:
                self._keep_alive()
                continue
            except OSError as error:
                raise Lost(_words(error)) from None
            if not data:
                raise Lost("the server closed the connection")
            self._held += data
            return
        raise Lost("the server keeps silent")

    def _keep_alive(self) -> None:
        if time.monotonic() - self._sent >= self._beat_s:
            self.send([frames.frame(frames.HEARTBEAT)])

    def _closed(self, content: bytes) -> str:
        with suppress(OSError):
            answer = frames.frame(frames.CLOSE | frames.RESPONSE, content[:4], b"\x00\x01")
            self._socket.sendall(answer)
        code = int.from_bytes(content[4:6], "big")
        return f"the server closed the connection ({frames.CODES.get(code, f'code {code}')})"

    def _send(self, piece: memoryview) -> None:
        try:
            while piece:
                self._socket.settimeout(self.patience_s)  # for each part of it anew
                piece = piece[self._socket.send(piece) :]
        except TimeoutError:
            raise Lost("the server takes nothing: has it raised an alarm?") from None
        except OSError as error:
            raise Lost(_words(error)) from None

    def _beat(self) -> None:
        """For as long as loading has other things to do than to publish."""
        while not self._over.wait(self._beat_s):
            try:
                self._keep_alive()
            except Lost:
                return


def _connected(settings: Settings) -> socket.socket:
    where = (settings.host, settings.port)
    try:
        plain = socket.create_connection(where, min(settings.patience_s, _CONNECT_S))
    except OSError as error:
        raise Lost(f"nobody answers ({type(error).__name__})") from None
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if settings.context is None:
        return plain
    try:
        return settings.context.wrap_socket(plain, server_hostname=settings.host)
    except ssl.SSLCertVerificationError:
        plain.close()
        raise Untrusted("it shows a certificate that cannot be trusted") from None
    except OSError as error:
        plain.close()
        raise Strange(f"TLS is not agreed on ({type(error).__name__})") from None


def _words(error: OSError) -> str:
    return f"the connection is gone ({type(error).__name__})"
