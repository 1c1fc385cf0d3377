"""A NATS server of our own, spoken to in its own protocol: no client comes between."""

import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import BinaryIO

from tests import services


@contextmanager
def server() -> Iterator[int]:
    """A server on a free port."""
    program = shutil.which("nats-server") or shutil.which("nats-server", path="/usr/sbin")
    if program is None:
        services.missing("no nats-server; as root on Debian, .ci/services installs it")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [str(program), "-a", "127.0.0.1", "-p", str(port)],
        stderr=subprocess.PIPE,
        preexec_fn=services.end_with_us,
    )
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if b"Server is ready" in line:
                break
        yield port
    finally:
        process.kill()
        process.wait()


@contextmanager
def connection(port: int) -> Iterator[BinaryIO]:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as link:
        stream = link.makefile("rwb")
        assert stream.readline().startswith(b"INFO ")
        stream.write(b'CONNECT {"verbose":false,"headers":true}\r\nSUB s 1\r\n')
        yield stream


def there_and_back(
    stream: BinaryIO, headers: Mapping[str, str], body: bytes
) -> tuple[list[tuple[str, str]], bytes]:
    """Publish one message and read it as the server hands it on: headers line by line, body."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"NATS/1.0\r\n{lines}\r\n".encode()
    stream.write(b"HPUB s %d %d\r\n%b%b\r\n" % (len(head), len(head) + len(body), head, body))
    stream.flush()
    answer = stream.readline()
    while not answer.startswith(b"HMSG "):
        assert not answer.startswith(b"-ERR"), answer
        answer = stream.readline()
    size, whole = (int(each) for each in answer.split()[-2:])
    got = stream.read(whole + 2)[:-2]
    found = got[:size].decode().removeprefix("NATS/1.0\r\n").removesuffix("\r\n\r\n")
    pairs = [line.partition(":") for line in found.split("\r\n") if line]
    return [(name, value.strip()) for name, _, value in pairs], got[size:]
