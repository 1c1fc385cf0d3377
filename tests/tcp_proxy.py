"""A TCP proxy before a server, so that a connection can be cut or held up at a chosen byte."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread


class Proxy:
    """Passes bytes on, until `after` bytes came from the client: then the connection is cut, or
    held up until it is released. Connections behind that one go through untouched."""

    def __init__(self, port: int, *, after: int | None = None, hold: bool = False) -> None:
        self._server_port, self._after, self._hold = port, after, hold
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.reached = Event()
        self._released = Event()
        self._sockets: list[socket.socket] = [self._listener]
        self._threads: list[Thread] = []
        self._run(self._accept)

    def release(self) -> None:
        """Let go what was held up, and wait until the server has taken all of it."""
        self._released.set()
        self._first_upstream.join()

    def close(self) -> None:
        """Cut everything."""
        self._released.set()
        for each in self._sockets:
            _cut(each)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        after = self._after
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._server_port))
                self._sockets += [client, server]
                upstream = self._run(self._upstream, client, server, after)
                if after is not None:
                    self._first_upstream, after = upstream, None
                self._run(_pass, server, client)

    def _upstream(self, client: socket.socket, server: socket.socket, after: int | None) -> None:
        with suppress(OSError):
            passed = 0
            while data := client.recv(65_536):
                if after is not None and passed + len(data) > after:
                    server.sendall(data[: after - passed])
                    data, after = data[after - passed :], None
                    self.reached.set()
                    if not self._hold:
                        break
                    self._released.wait()
                server.sendall(data)
                passed += len(data)
            server.shutdown(socket.SHUT_WR)
            if not self._hold:
                _cut(client)

    def _run(self, work: object, *words: object) -> Thread:
        thread = Thread(target=work, args=words, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()
        return thread


def _pass(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def _cut(which: socket.socket) -> None:
    with suppress(OSError):
        which.shutdown(socket.SHUT_RDWR)
    which.close()


@contextmanager
def proxy(port: int, *, after: int | None = None, hold: bool = False) -> Iterator[Proxy]:
    """A proxy before a port of this machine."""
    found = Proxy(port, after=after, hold=hold)
    try:
        yield found
    finally:
        found.close()
