"""A NATS server spoken to in its own protocol: no client comes between."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import BinaryIO


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
