"""A connection to a NATS server: its protocol, as far as a publisher and a witness need it.

Protocol: docs.nats.io/reference/reference-protocols/nats-protocol. No thread: the server's
pings are answered whenever something is sent or waited for.
"""

import json
import secrets
import select
import socket
import ssl
import time
from collections.abc import Sequence
from typing import Any, NamedTuple, Self

from loaders.jetstream.identity import credentials_answer, nkey_answer
from loaders.jetstream.options import Access
from migrate.core.errors import UsageError

_CONNECT_S = 5.0
_READ = 1 << 18
_WRITE = 1 << 20
_LINE = 1 << 20
_INBOX_SID, _MESSAGES_SID = 1, 2

Bytes = bytes | bytearray | memoryview


class WireError(Exception):
    """The server cannot be reached, ended the connection, refused or kept silent; its text names
    no payload and no secret."""


class Delivered(NamedTuple):
    """One message from the server. `headers`: as they were written, the first line included."""

    sid: int
    subject: bytes
    reply: bytes
    headers: bytes
    body: bytes


class Connection:
    """One connection. Every method may raise WireError; then it is of no use any more."""

    def __init__(self, access: Access) -> None:
        """Connect to the first server that lets us in. Raises UsageError for bad key files."""
        self._patience_s = access.patience_s
        self._buffer = bytearray()
        self._asked = 0
        self._aside: list[Delivered] = []
        self._lost: WireError | None = None
        self.inbox = f"{access.inbox}.{secrets.token_hex(11)}"
        self.info: dict[str, Any] = {}
        self._socket = self._any_of(access)
        self._socket.settimeout(self._patience_s)
        subscribed = f"SUB {self.inbox}.a.* {_INBOX_SID}\r\nSUB {self.inbox}.m {_MESSAGES_SID}\r\n"
        self.send([subscribed.encode()])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def max_payload(self) -> int:
        """Bytes that headers and body may have together."""
        return int(self.info.get("max_payload", 1 << 20))

    @property
    def acks(self) -> str:
        """A subject below which the server answers us: append a token."""
        return f"{self.inbox}.a"

    @property
    def messages_to(self) -> str:
        """The subject on which messages are asked for; they come with `for_us` true."""
        return f"{self.inbox}.m"

    @staticmethod
    def for_us(message: Delivered) -> bool:
        """Whether it came on `messages_to`."""
        return message.sid == _MESSAGES_SID

    def send(self, pieces: Sequence[Bytes]) -> None:
        """Write; what comes in meanwhile is kept, so that neither side waits for the other."""
        for piece in pieces:
            view = memoryview(piece).cast("B")
            for start in range(0, len(view), _WRITE):
                self._write(view[start : start + _WRITE])
                self._take_in()

    def poll(self) -> list[Delivered]:
        """What is here already."""
        self._take_in()
        return self._found()

    def wait(self) -> list[Delivered]:
        """At least one message; WireError where none comes in time."""
        end = time.monotonic() + self._patience_s
        while not (found := self._found()):
            self._read(end)
        return found

    def request(self, subject: str, payload: bytes = b"") -> Delivered:
        """Ask, and wait for the one answer; what else comes is kept for later."""
        self._asked += 1
        answer = f"{self.acks}.r{self._asked}"
        self.send([f"PUB {subject} {answer} {len(payload)}\r\n".encode(), payload, b"\r\n"])
        others: list[Delivered] = []
        found: Delivered | None = None
        while found is None:
            for message in self.wait():
                if message.subject == answer.encode():
                    found = message
                else:
                    others.append(message)
        self._aside = others
        return found

    def close(self) -> None:
        """Let go, without a word."""
        self._socket.close()

    def _any_of(self, access: Access) -> socket.socket:
        problem = WireError("no server is named")
        for host, port in access.servers:
            try:
                return self._connected(access, host, port)
            except ssl.SSLCertVerificationError as error:
                problem = WireError(f"certificate not accepted: {error.verify_message}")
            except WireError as error:
                problem = error
            except OSError as error:
                problem = WireError(f"cannot be reached: {type(error).__name__}")
        raise problem

    def _connected(self, access: Access, host: str, port: int) -> socket.socket:
        self._lost = None
        self._buffer.clear()
        self._socket = socket.create_connection((host, port), timeout=_CONNECT_S)
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            first = access.options.get("tls_first") == "true"
            if first:
                self._secure(access, host)
            self._greeted()
            if not first and (access.tls or self.info.get("tls_required")):
                self._secure(access, host)
            self._introduce(access)
        except BaseException:
            self._socket.close()
            raise
        return self._socket

    def _greeted(self) -> None:
        line = self._line()
        if not line.startswith(b"INFO "):
            raise WireError("what answers is no NATS server")
        self.info = _json(line[5:])
        if not self.info.get("headers"):
            raise WireError("the server is older than NATS 2.2 or forbids headers")

    def _secure(self, access: Access, host: str) -> None:
        self._buffer.clear()  # what came in plain is not to be believed
        self._socket = _tls(access).wrap_socket(self._socket, server_hostname=host)

    def _introduce(self, access: Access) -> None:
        words: dict[str, Any] = {
            "verbose": False,
            "pedantic": False,
            "headers": True,
            "no_responders": True,
            "protocol": 1,
            "lang": "python",
            "version": "1",
            "name": "isb-migrate",
            **_proof(access, str(self.info.get("nonce", ""))),
        }
        self._write(b"CONNECT " + json.dumps(words).encode() + b"\r\nPING\r\n")
        while (line := self._line()) != b"PONG":
            self._control(line)
            if self._lost:
                raise self._lost

    def _line(self) -> bytes:
        """A line of the beginning, when nothing but lines comes."""
        end = time.monotonic() + _CONNECT_S
        while (at := self._buffer.find(b"\r\n")) < 0:
            if self._lost:
                raise self._lost
            self._read(end)
        line = bytes(self._buffer[:at])
        del self._buffer[: at + 2]
        return line

    def _write(self, piece: Bytes) -> None:
        try:
            self._socket.sendall(piece)
        except OSError as error:
            self._take_in()
            self._parsed()  # its last words say more
            raise self._lost or WireError(f"connection lost: {type(error).__name__}") from None

    def _take_in(self) -> None:
        """Read what is there, without waiting."""
        while self._lost is None and self._readable():
            self._receive()

    def _readable(self) -> bool:
        if isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            return True
        return bool(select.select([self._socket], [], [], 0)[0])

    def _read(self, end: float) -> None:
        """Wait for something to come, until `end`."""
        left = end - time.monotonic()
        if left <= 0:
            raise WireError("no answer in time")
        self._socket.settimeout(left)
        try:
            self._receive()
        finally:
            self._socket.settimeout(self._patience_s)

    def _receive(self) -> None:
        try:
            piece = self._socket.recv(_READ)
        except TimeoutError:
            raise WireError("no answer in time") from None
        except OSError as error:
            self._lost = WireError(f"connection lost: {type(error).__name__}")
            return
        if piece:
            self._buffer += piece
        else:
            self._lost = WireError("connection lost: the server closed it")

    def _found(self) -> list[Delivered]:
        """Every whole message that is here; WireError where nothing more can come."""
        found = [*self._aside, *self._parsed()]
        self._aside = []
        if not found and self._lost:
            raise self._lost
        return found

    def _parsed(self) -> list[Delivered]:
        """Every whole message in the buffer."""
        found: list[Delivered] = []
        buffer, at = self._buffer, 0
        while (end := buffer.find(b"\r\n", at)) >= 0:
            line = bytes(buffer[at:end])
            if line.startswith((b"MSG ", b"HMSG ")):
                words = line.split(b" ")
                start, size = end + 2, int(words[-1])
                if len(buffer) < start + size + 2:
                    break
                found.append(_delivered(words, buffer, start, size))
                at = start + size + 2
            else:
                at = end + 2
                self._control(line)
        if at == 0 and end < 0 and len(buffer) > _LINE:
            raise WireError("what answers is no NATS server")
        del buffer[:at]
        return found

    def _control(self, line: bytes) -> None:
        word = line[:4].upper()
        if word == b"PING":
            self._write(b"PONG\r\n")
        elif word == b"INFO":
            self.info |= _json(line[5:])
        elif word == b"-ERR":
            self._lost = WireError(f"the server said {line[5:].decode('ascii', 'replace')[:200]}")


def _delivered(words: list[bytes], buffer: bytearray, start: int, size: int) -> Delivered:
    """MSG subject sid [reply] size; HMSG subject sid [reply] headers size."""
    with_headers = words[0] == b"HMSG"
    head = int(words[-2]) if with_headers else 0
    reply = words[3] if len(words) == (6 if with_headers else 5) else b""
    whole = bytes(buffer[start : start + size])
    return Delivered(int(words[2]), words[1], reply, whole[:head], whole[head:])


def _proof(access: Access, nonce: str) -> dict[str, str]:
    """How CONNECT says who we are."""
    if path := access.options.get("credentials_file"):
        return credentials_answer(path, nonce)
    if path := access.options.get("nkey_file"):
        return nkey_answer(path, nonce)
    if access.password is not None:
        return {"user": access.user or "", "pass": access.password}
    return {} if access.user is None else {"auth_token": access.user}


def _tls(access: Access) -> ssl.SSLContext:
    """Certificate and host name are always verified."""
    options = access.options
    try:
        context = ssl.create_default_context(cafile=options.get("ca_file"))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if "cert_file" in options:
            context.load_cert_chain(options["cert_file"], options["key_file"])
    except (OSError, ValueError) as error:
        raise UsageError(
            f'a TLS file of the bus "{access.bus}" cannot be used ({type(error).__name__})',
            hint="look at its options ca_file, cert_file and key_file",
        ) from None
    return context


def _json(text: bytes) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise WireError("what answers is no NATS server")
    return content
