"""Real NATS servers with JetStream, from Debian's package, for the tests.

One is started once a test session and shared: every bus in it has a prefix of its own. What is
killed, restarted or limited is a server of the test's own.
"""

import atexit
import json
import os
import shutil
import signal
import socket
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from loaders.jetstream.api import Api
from loaders.jetstream.connect import Session
from loaders.jetstream.options import access
from migrate.core.flow import BusSpec
from tests import services

SERVER = Path(os.environ.get("ISB_TEST_NATS", "/usr/sbin/nats-server"))


class Server:
    """A server that can be killed and started again on its port and its data."""

    def __init__(
        self, folder: Path, config: str = "", store: str = "", scheme: str = "nats"
    ) -> None:
        if not SERVER.exists():
            services.missing(f"no {SERVER}; as root on Debian, .ci/services installs NATS")
        self.folder = folder
        self.port = _free_port()
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        (folder / "nats.conf").write_text(
            f'listen: "127.0.0.1:{self.port}"\n'
            f'jetstream {{ store_dir: "{folder}/data", max_memory_store: 64MB\n{store} }}\n'
            f"{config}\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Until it says that it is ready."""
        self._process = subprocess.Popen(
            [str(SERVER), "-c", str(self.folder / "nats.conf")],
            stderr=subprocess.PIPE,
            preexec_fn=services.end_with_us,
        )
        assert self._process.stderr is not None
        words = []
        for line in self._process.stderr:
            words.append(line)
            if b"Server is ready" in line:
                # It goes on writing; a pipe nobody reads would stop it.
                subprocess.Popen(
                    ["cat"],
                    stdin=self._process.stderr,
                    stdout=subprocess.DEVNULL,
                    preexec_fn=services.end_with_us,
                )
                return
        raise AssertionError(b"".join(words[-20:]).decode(errors="replace"))

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def pause(self) -> None:
        """It holds its connections and says nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        os.waitpid(self._process.pid, os.WUNTRACED)  # until it has stopped

    def go_on(self) -> None:
        """After a pause."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


@contextmanager
def server(
    folder: Path, config: str = "", store: str = "", scheme: str = "nats"
) -> Iterator[Server]:
    """One of the test's own."""
    folder.mkdir(parents=True, exist_ok=True)
    found = Server(folder, config, store, scheme)
    found.start()
    try:
        yield found
    finally:
        found.kill()


@cache
def shared() -> Server:
    """The one of this test session."""
    folder = Path(mkdtemp(prefix="isb-nats-"))
    found = Server(folder, "max_payload: 8MB")
    found.start()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(found.kill)
    return found


@contextmanager
def bus(url: str | None = None, *options: tuple[str, str]) -> Iterator[BusSpec]:
    """A bus with a prefix of its own; its streams are deleted afterwards."""
    prefix = f"t{uuid.uuid4().hex[:12]}"
    spec = BusSpec("metip", "jetstream", url or shared().url, (("prefix", prefix), *options))
    try:
        yield spec
    finally:
        with api(spec) as asked:
            for name in list(asked.names(f"{prefix}.>")):
                asked.ask(f"STREAM.DELETE.{name}")


@contextmanager
def api(spec: BusSpec) -> Iterator[Api]:
    """JetStream's API of a bus."""
    session = Session(access(spec))
    try:
        yield session.api
    finally:
        session.close()


def write(spec: BusSpec, words: str, headers: dict[str, str], body: bytes = b"stray") -> Any:
    """Publish as somebody else would; the PubAck. `words`: the subject behind the prefix."""
    subject = f"{dict(spec.options)['prefix']}.{words}"
    session = Session(access(spec))
    with closing(session):
        link = session.link
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"NATS/1.0\r\n{lines}\r\n".encode()
        sizes = f"{len(head)} {len(head) + len(body)}"
        link.send([f"HPUB {subject} {link.acks}.s {sizes}\r\n".encode(), head, body, b"\r\n"])
        return json.loads(link.wait()[0].body)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])
