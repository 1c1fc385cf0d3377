"""Writes KahaDB journals, from the product's Journal.java and journal-data.proto."""

import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

from tests.extractors import activemq_encoder as wire

TYPES = ("queue", "topic", "temp-queue", "temp-topic")
END = b"-qMa4"


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, content: bytes | int) -> bytes:
    """A field of a protocol buffer."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def destination(name: str) -> bytes:
    scheme, _, rest = name.partition("://")
    return field(1, TYPES.index(scheme)) + field(2, rest.encode())


def local(number: int) -> bytes:
    """A local transaction, with the place of its last record."""
    return field(1, field(1, b"c") + field(1, number)) + field(3, field(1, 1) + field(2, number))


def xa(name: bytes) -> bytes:
    return field(2, field(1, 7) + field(2, b"branch") + field(3, name))


def command(kind: int, *fields: bytes, transaction: bytes | None = None) -> bytes:
    body = (b"" if transaction is None else field(1, transaction)) + b"".join(fields)
    return bytes([kind]) + varint(len(body)) + body


def add(message: wire.Message, transaction: bytes | None = None) -> bytes:
    parts = field(2, destination(message.destination or "")), field(3, message.id.encode())
    return command(1, *parts, field(4, wire.frame(message)), field(5, 4), transaction=transaction)


def update(message: wire.Message) -> bytes:
    return command(10, field(1, add(message)[1 + len(varint(len(add(message)))) :]))


def remove(
    message: wire.Message, subscription: str | None = None, transaction: bytes | None = None
) -> bytes:
    parts = [field(2, destination(message.destination or "")), field(3, message.id.encode())]
    if subscription is not None:
        parts.append(field(5, subscription.encode()))
    return command(2, *parts, transaction=transaction)


def prepare(transaction: bytes) -> bytes:
    return command(3, transaction=transaction)


def commit(transaction: bytes) -> bytes:
    return command(4, transaction=transaction)


def rollback(transaction: bytes) -> bytes:
    return command(5, transaction=transaction)


def drop(name: str) -> bytes:
    return command(6, field(1, destination(name)))


def subscribe(name: str, key: str, *, retroactive: bool = False, ends: bool = False) -> bytes:
    info = b"" if ends else field(4, b"info")
    return command(
        7, field(1, destination(name)), field(2, key.encode()), field(3, int(retroactive)), info
    )


def trace() -> bytes:
    return command(0, field(1, b"started"))


def batch(commands: Sequence[bytes]) -> bytes:
    records = b"".join(struct.pack(">ib", len(each) + 5, 1) + each for each in commands)
    head = struct.pack(">ib11siq", 28, 2, b"WRITE BATCH", len(records), zlib.adler32(records))
    return head + records


def write(folder: Path, *files: Sequence[Sequence[bytes]], tail: bytes = END) -> Path:
    """`db-1.log`, `db-2.log` …: each some batches of some commands."""
    folder.mkdir(exist_ok=True)
    for number, batches in enumerate(files, 1):
        data = b"".join(map(batch, batches))
        (folder / f"db-{number}.log").write_bytes(data + tail + bytes(100))
    return folder
