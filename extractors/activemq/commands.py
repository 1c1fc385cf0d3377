"""The commands of a KahaDB journal, as far as they say which messages are live.

A byte for the kind, the size as a varint, a protocol buffer. Source: `journal-data.proto` of
Apache ActiveMQ.
"""

from typing import NamedTuple, TypeAlias

ADD, REMOVE, PREPARE, COMMIT, ROLLBACK, REMOVE_DESTINATION, SUBSCRIPTION = range(1, 8)
UPDATE = 10
HOUSEKEEPING = frozenset({0, 8, 9, 16})
"""Traces, audits of producers, maps of acknowledgements, rewritten records."""

_SCHEMES = ("queue://", "topic://", "temp-queue://", "temp-topic://")
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

Fields: TypeAlias = dict[int, list[tuple[int, int]]]
"""By number: (start, end) of bytes, (value, value) of a varint."""


class Command(NamedTuple):
    """One command; what it does not say is None. `start`, `end`: a message's frame in `data`."""

    kind: int
    transaction: bytes | None = None
    is_xa: bool = False
    container: str | None = None
    message_id: str | None = None
    start: int = 0
    end: int = 0
    subscription: str | None = None
    retroactive: bool = False
    subscribes: bool = False


def command_of(data: bytes) -> Command | None:
    """A command; None for housekeeping. Raises ValueError or IndexError for what is none."""
    kind = data[0]
    size, at = _varint(data, 1)
    if at + size != len(data):
        raise ValueError
    if kind in HOUSEKEEPING:
        return None
    found = _fields(data, at, len(data))
    if kind == UPDATE:
        found = _fields(data, *_one(found, 1))
    reader = _READERS.get(kind)
    if reader is None:
        raise ValueError
    return reader(kind, data, found)


def _message(kind: int, data: bytes, found: Fields) -> Command:
    transaction, is_xa = _transaction(data, found)
    start, end = _one(found, 4) if kind != REMOVE else (0, 0)
    return Command(
        kind,
        transaction,
        is_xa,
        _container(data, found, 2),
        _text(data, found, 3),
        start,
        end,
        _text(data, found, 5) if kind == REMOVE and 5 in found else None,
    )


def _ending(kind: int, data: bytes, found: Fields) -> Command:
    return Command(kind, *_transaction(data, found))


def _removal(kind: int, data: bytes, found: Fields) -> Command:
    return Command(kind, container=_container(data, found, 1))


def _subscription(kind: int, data: bytes, found: Fields) -> Command:
    return Command(
        kind,
        container=_container(data, found, 1),
        subscription=_text(data, found, 2),
        retroactive=found.get(3, [(0, 0)])[-1][0] == 1,
        subscribes=4 in found,
    )


_READERS = {
    ADD: _message,
    REMOVE: _message,
    UPDATE: _message,
    PREPARE: _ending,
    COMMIT: _ending,
    ROLLBACK: _ending,
    REMOVE_DESTINATION: _removal,
    SUBSCRIPTION: _subscription,
}


def _transaction(data: bytes, found: Fields) -> tuple[bytes | None, bool]:
    """The id of a transaction as it is written, without the place of its last record."""
    if 1 not in found:
        return None, False
    ids = _fields(data, *_one(found, 1))
    number = 2 if 2 in ids else 1
    if number not in ids:
        return None, False
    start, end = _one(ids, number)
    return bytes([number]) + data[start:end], number == 2


def _container(data: bytes, found: Fields, number: int) -> str:
    parts = _fields(data, *_one(found, number))
    kind = parts.get(1, [(0, 0)])[-1][0]
    return f"{_SCHEMES[kind]}{_text(data, parts, 2)}"


def _text(data: bytes, found: Fields, number: int) -> str:
    start, end = _one(found, number)
    return data[start:end].decode()


def _one(found: Fields, number: int) -> tuple[int, int]:
    """The last value of a field. Raises ValueError where there is none."""
    if number not in found:
        raise ValueError
    return found[number][-1]


def _fields(data: bytes, at: int, end: int) -> Fields:
    found: Fields = {}
    while at < end:
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, at = _varint(data, at)
            found.setdefault(number, []).append((value, value))
            continue
        if wire == _BYTES:
            size, at = _varint(data, at)
        elif wire in (_FIXED64, _FIXED32):
            size = 8 if wire == _FIXED64 else 4
        else:
            raise ValueError
        found.setdefault(number, []).append((at, at + size))
        at += size
    if at != end:
        raise ValueError
    return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError
