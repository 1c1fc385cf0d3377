"""A way to a server on this machine that can be cut, once so many bytes have gone to it."""

import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Thread


class Proxy:
    """Listens on a port of its own; every connection to it goes on to `port`."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self._left: int | None = None
        self._then: Callable[[], object] = lambda: None
        self._cuts = True
        self._servers: set[socket.socket] = set()
        self._muted: set[socket.socket] = set()
        Thread(target=self._accept, daemon=True).start()

    def cut_after(self, size: int, then: Callable[[], object] = lambda: None) -> None:
        """Do something once the next `size` bytes have gone to the server, and cut what carried
        them; later connections are whole again."""
        self._left, self._then, self._cuts = size, then, True

    def call_after(self, size: int, then: Callable[[], object]) -> None:
        """Do something once the next `size` bytes have gone to the server, before any other has."""
        self._left, self._then, self._cuts = size, then, False

    def mute(self) -> None:
        """From now on nothing comes back from the server on the connections that there are."""
        self._muted.update(self._servers)

    def close(self) -> None:
        """Take no more connections."""
        self._server.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self._to))
                except OSError:
                    client.close()
                    continue
                self._servers.add(server)
                Thread(target=self._carry, args=(client, server, True), daemon=True).start()
                Thread(target=self._carry, args=(server, client, False), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, inwards: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                if inwards and self._left is not None:
                    data, rest = data[: self._left], data[self._left :]
                    self._left -= len(data)
                    sink.sendall(data)
                    if self._left == 0:
                        self._left = None
                        self._then()
                        if self._cuts:
                            break
                    data = rest
                if source in self._muted:
                    continue
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
