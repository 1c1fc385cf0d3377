"""Strings and typed values as OpenWire writes them, big-endian.

Sources: `org.apache.activemq.util.MarshallingSupport` and the loose side of
`BaseDataStreamMarshaller` of Apache ActiveMQ. Strings are Java's modified
UTF-8: NUL as C0 80, supplementary characters as two surrogates of three bytes
each. Plain UTF-8, which clients in other languages write, is read as well.

Readers take the data and an offset and return the value and the offset behind
it. They never look beyond an end they computed without carrying it on, so a
length that points outside the data ends in an IndexError, a struct.error or an
offset that is not the end: callers treat all three as Malformed.
"""

import struct
from base64 import b64encode
from collections.abc import Callable
from json.encoder import encode_basestring
from typing import TypeAlias

from extractors.activemq.javatext import double_text, float_text

MAX_DEPTH = 64
"""Maps and lists nested deeper are not read."""

_U16 = struct.Struct(">H").unpack_from
_I16 = struct.Struct(">h").unpack_from
_I32 = struct.Struct(">i").unpack_from
_I64 = struct.Struct(">q").unpack_from
_F64 = struct.Struct(">d").unpack_from

Typed: TypeAlias = tuple[str, str | None, int]
"""Type, text, offset behind. The type of a map or list is the JSON of its types, its text the
JSON of its values; everything else has a name and its Java text (bytes: base64)."""


class Malformed(ValueError):
    """Bytes that are not what the format says; `place` is the part of the message."""

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.place = place


BROKEN = (Malformed, IndexError, struct.error, UnicodeError)
"""What reading bytes that are no OpenWire may end in."""


def text(data: bytes) -> str:
    """A string of modified or plain UTF-8. Raises UnicodeError, for half a surrogate pair too."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return _modified(data)


def _modified(data: bytes) -> str:
    units = data.replace(b"\xc0\x80", b"\x00").decode(errors="surrogatepass")
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le")


def string(data: bytes, at: int) -> tuple[str | None, int]:
    """A string that may be null: a flag, a 16-bit length, the bytes."""
    if not flag(data, at):
        return None, at + 1
    end = at + 3 + (data[at + 1] << 8 | data[at + 2])
    return text(data[at + 3 : end]), end


def sequence(data: bytes, at: int) -> tuple[bytes | None, int]:
    """Bytes that may be null: a flag, a 32-bit length, the bytes."""
    if not flag(data, at):
        return None, at + 1
    return counted(data, at + 1)


def counted(data: bytes, at: int) -> tuple[bytes, int]:
    """Bytes behind their 32-bit length."""
    size = _I32(data, at)[0]
    if size < 0:
        raise Malformed("length")
    end = at + 4 + size
    return data[at + 4 : end], end


def flag(data: bytes, at: int) -> int:
    """A boolean: 0 or 1 and nothing else."""
    value = data[at]
    if value > 1:
        raise Malformed("flag")
    return value


def properties(data: bytes) -> list[str | None]:
    """A primitive map as name, type, text, name, type, text … in stored order; flat, because a
    store has millions of them. Raises one of BROKEN."""
    count = _I32(data, 0)[0]
    found, at = _entries(data, 4, count, 0)
    if at != len(data) or count < -1:
        raise Malformed("length")
    return found


def map_json(data: bytes) -> tuple[str, str]:
    """A primitive map as JSON: its types, its values. Raises one of BROKEN."""
    return _objects(properties(data))


def list_json(data: bytes) -> tuple[str, str]:
    """Typed values one after another, as JSON arrays: the types, the values."""
    found: list[tuple[str, str | None]] = []
    at = 0
    while at < len(data):
        kind, value, at = typed(data, at, 0)
        found.append((kind, value))
    if at != len(data):
        raise Malformed("length")
    return _arrays(found)


def typed(data: bytes, at: int, depth: int) -> Typed:
    """A value behind its type's tag. Raises one of BROKEN."""
    tag = data[at]
    if tag == 9:
        end = at + 3 + (data[at + 1] << 8 | data[at + 2])
        return "string", text(data[at + 3 : end]), end
    reader = _READERS.get(tag)
    if reader is None:
        raise Malformed("type")
    return reader(data, at + 1, depth)


def _entries(data: bytes, at: int, count: int, depth: int) -> tuple[list[str | None], int]:
    found: list[str | None] = []
    for _ in range(count):
        end = at + 2 + (data[at] << 8 | data[at + 1])
        name = text(data[at + 2 : end])
        kind, value, at = typed(data, end, depth)
        found += (name, kind, value)
    if count > 1 and len(set(found[::3])) != count:
        raise Malformed("name")
    return found, at


def _map(data: bytes, at: int, depth: int) -> Typed:
    if depth >= MAX_DEPTH:
        raise Malformed("depth")
    found, end = _entries(data, at + 4, _size(data, at), depth + 1)
    return *_objects(found), end


def _list(data: bytes, at: int, depth: int) -> Typed:
    if depth >= MAX_DEPTH:
        raise Malformed("depth")
    found: list[tuple[str, str | None]] = []
    end = at + 4
    for _ in range(_size(data, at)):
        kind, value, end = typed(data, end, depth + 1)
        found.append((kind, value))
    return *_arrays(found), end


def _size(data: bytes, at: int) -> int:
    count: int = _I32(data, at)[0]
    if count < 0:
        raise Malformed("length")
    return count


def _objects(found: list[str | None]) -> tuple[str, str]:
    names = [encode_basestring(name or "") for name in found[::3]]
    entries = list(zip(names, found[1::3], found[2::3], strict=True))
    kinds = (f"{name}:{_json_kind(kind or '')}" for name, kind, _ in entries)
    values = (f"{name}:{_json(kind or '', value)}" for name, kind, value in entries)
    return f"{{{','.join(kinds)}}}", f"{{{','.join(values)}}}"


def _arrays(found: list[tuple[str, str | None]]) -> tuple[str, str]:
    kinds = (_json_kind(kind) for kind, _ in found)
    values = (_json(kind, value) for kind, value in found)
    return f"[{','.join(kinds)}]", f"[{','.join(values)}]"


def _json_kind(kind: str) -> str:
    return kind if kind[0] in "{[" else f'"{kind}"'


def _json(kind: str, value: str | None) -> str:
    """A value's text in JSON: numbers as numbers, NaN and the infinities as strings."""
    if value is None:
        return "null"
    if kind in ("string", "char"):
        return encode_basestring(value)
    if kind == "bytes":
        return f'{{"$base64":"{value}"}}'
    return f'"{value}"' if value[-1] in "Ny" else value


def _boolean(data: bytes, at: int, _: int) -> Typed:
    return "boolean", "true" if flag(data, at) else "false", at + 1


def _byte(data: bytes, at: int, _: int) -> Typed:
    value = data[at]
    return "byte", str(value - 256 if value > 127 else value), at + 1


def _char(data: bytes, at: int, _: int) -> Typed:
    value = chr(_U16(data, at)[0])
    value.encode()
    return "char", value, at + 2


def _number(kind: str, read: Callable[[bytes, int], tuple[int]], size: int) -> "Reader":
    return lambda data, at, _: (kind, str(read(data, at)[0]), at + size)


def _double(data: bytes, at: int, _: int) -> Typed:
    return "double", double_text(_F64(data, at)[0]), at + 8


def _float(data: bytes, at: int, _: int) -> Typed:
    return "float", float_text(data[at : at + 4]), at + 4


def _bytes(data: bytes, at: int, _: int) -> Typed:
    value, end = counted(data, at)
    return "bytes", b64encode(value).decode(), end


def _big_string(data: bytes, at: int, _: int) -> Typed:
    value, end = counted(data, at)
    return "string", text(value), end


Reader: TypeAlias = Callable[[bytes, int, int], Typed]

_READERS: dict[int, Reader] = {
    0: lambda _data, at, _: ("null", None, at),
    1: _boolean,
    2: _byte,
    3: _char,
    4: _number("short", _I16, 2),
    5: _number("int", _I32, 4),
    6: _number("long", _I64, 8),
    7: _double,
    8: _float,
    10: _bytes,
    11: _map,
    12: _list,
    13: _big_string,
}
