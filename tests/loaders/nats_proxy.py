"""A TCP proxy that does something to a connection once so many bytes have gone up through it."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock, Thread


@dataclass
class Proxy:
    """Counts what goes up on all its connections from the first message with headers on; at
    `after` bytes `then` happens, once."""

    target: int
    after: int = 1 << 62
    then: Callable[[], None] | None = None
    port: int = 0
    _up: int = 0
    _mute_from: int = 1 << 62
    _counting: bool = False
    _muted: bool = False
    _lock: Lock = field(default_factory=Lock)
    _pairs: list[tuple[socket.socket, socket.socket]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def arm(self, after: int, then: Callable[[], None], *, mute: int = 0) -> None:
        """From now on: `then` once `after` more bytes have gone up; nothing comes down any more
        from `mute` bytes before that until connections are cut."""
        with self._lock:
            self._up, self.after, self.then = 0, after, then
            self._mute_from = after - mute if mute else 1 << 62
            self._muted = self._counting = False

    def cut(self) -> None:
        """End every connection there is, at once and without a word; who was cut may be back
        before the last one is, and stays."""
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                _shut(end)
        self._muted, self._mute_from = False, 1 << 62

    def serve(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                client.close()
                continue
            self._pairs.append((client, server))
            Thread(target=self._up_stream, args=(client, server), daemon=True).start()
            Thread(target=self._down_stream, args=(server, client), daemon=True).start()

    def _up_stream(self, client: socket.socket, server: socket.socket) -> None:
        while piece := _received(client):
            event = None
            with self._lock:
                self._counting = self._counting or b"HPUB " in piece
                left = self.after - self._up
                self._up += len(piece) if self._counting else 0
                self._muted = self._muted or self._up > self._mute_from
                if left <= len(piece):
                    event, self.then, self.after = self.then, None, 1 << 62
                    if event is not None:
                        _send(server, piece[:left])
                        piece = piece[left:]
            if event is not None:
                event()
            _send(server, piece)
        _shut(server)

    def _down_stream(self, server: socket.socket, client: socket.socket) -> None:
        while piece := _received(server):
            if not self._muted:
                _send(client, piece)
        _shut(client)


@contextmanager
def proxy(target: int) -> Iterator[Proxy]:
    """A proxy to a port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found = Proxy(target, port=int(listener.getsockname()[1]))
        Thread(target=found.serve, args=(listener,), daemon=True).start()
        try:
            yield found
        finally:
            found.cut()
            _shut(listener)


def _received(end: socket.socket) -> bytes:
    try:
        return end.recv(1 << 16)
    except OSError:
        return b""


def _send(end: socket.socket, piece: bytes) -> None:
    try:
        end.sendall(piece)
    except OSError:
        return


def _shut(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
