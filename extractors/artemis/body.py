"""Bodies of core messages by their type: every byte is accounted for, or the body is refused.

Sources: TextMessageUtil, MapMessageUtil, TypedProperties, SimpleString and DataConstants of
Apache ActiveMQ Artemis.

- `text`: one byte (0: null), then length and UTF-16, low byte first. Leaves as UTF-8.
- `map`: leaves as a JSON object of texts (`body_kind` row), the types of its values in the
  header `map-types`; bytes as `{"$base64": …}`.
- `object`: the Java serialisation stream behind its length, never deserialised; the name of
  its class in the header `java-class`.
- all others, `stream` among them: the bytes as they are.
"""

import base64
import json
import struct
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from extractors.exports.unit import Header

_JAVA_OBJECT = b"\xac\xed\x00\x05sr"


class Decoded(NamedTuple):
    """A body and what is known of it."""

    data: bytes | None
    kind: str  # body_kind of a segment
    charset: str | None
    headers: tuple[Header, ...] = ()


Value: TypeAlias = str | dict[str, str] | None


def decoded(kind: str, raw: bytes) -> Decoded:
    """The body of a message of this type. ValueError where it is not what that type writes."""
    decode = _DECODERS.get(kind)
    return decode(raw) if decode else Decoded(raw, "bytes", None)


def _text(raw: bytes) -> Decoded:
    if raw in (b"", b"\0"):
        return Decoded(None, "null", None)
    length = int.from_bytes(raw[1:5], "big")
    if len(raw) != 5 + length or length % 2:
        raise ValueError("text")
    try:
        return Decoded(raw[5:].decode("utf-16-le").encode(), "text", "utf-8")
    except UnicodeError:  # half a surrogate pair: no text, but the bytes are whole
        return Decoded(raw[5:], "bytes", "utf-16-le")


def _object(raw: bytes) -> Decoded:
    if not raw:
        return Decoded(None, "null", None)
    if len(raw) != 4 + int.from_bytes(raw[:4], "big"):
        raise ValueError("object")
    name = _class_name(raw[4:])
    headers: tuple[Header, ...] = (("java-class", "string", name),) if name else ()
    return Decoded(raw[4:], "bytes", None, headers)


def _class_name(stream: bytes) -> str | None:
    if not stream.startswith(_JAVA_OBJECT):
        return None
    at = len(_JAVA_OBJECT)
    length = int.from_bytes(stream[at : at + 2], "big")
    try:
        return stream[at + 2 : at + 2 + length].decode()
    except UnicodeDecodeError:
        return None


def _map(raw: bytes) -> Decoded:
    reader = _Reader(raw)
    members: dict[str, Value] = {}
    types: dict[str, str] = {}
    count = reader.integer(4) if raw and reader.integer(1) else 0
    for _ in range(count):
        name = reader.text()
        if name in members:
            raise ValueError("map")
        types[name], members[name] = reader.value()
    reader.finish()
    header: Header = ("map-types", "json", _json(types))
    return Decoded(_json(members).encode(), "row", "utf-8", (header,))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class _Reader:
    """Reads what TypedProperties wrote. ValueError where it does not go on like that."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        """The next bytes."""
        end = self._at + count
        if count < 0 or end > len(self._data):
            raise ValueError("map")
        piece, self._at = self._data[self._at : end], end
        return piece

    def integer(self, size: int) -> int:
        """A signed integer, high byte first."""
        return int.from_bytes(self.take(size), "big", signed=True)

    def text(self) -> str:
        """A SimpleString. UnicodeDecodeError, a ValueError, for half a surrogate pair."""
        return self.take(self.integer(4)).decode("utf-16-le")

    def value(self) -> tuple[str, Value]:
        """Type and value of a member."""
        name, read = _VALUES.get(self.integer(1)) or _no_type()
        return name, read(self)

    def finish(self) -> None:
        """Nothing is left."""
        if self._at != len(self._data):
            raise ValueError("map")


def _boolean(reader: _Reader) -> Value:
    return "true" if reader.integer(1) else "false"


def _bytes(reader: _Reader) -> Value:
    data = reader.take(reader.integer(4))
    return {"$base64": base64.b64encode(data).decode()}


def _float(size: int, code: str) -> Callable[[_Reader], Value]:
    return lambda reader: repr(struct.unpack(code, reader.take(size))[0])


def _single(reader: _Reader) -> Value:
    """The shortest text that is this single-precision number again."""
    (value,) = struct.unpack(">f", reader.take(4))
    texts = (f"{value:.{digits}g}" for digits in range(6, 10))
    return next((text for text in texts if _same_single(text, value)), repr(value))


def _same_single(text: str, value: float) -> bool:
    try:
        return bool(struct.unpack(">f", struct.pack(">f", float(text)))[0] == value)
    except OverflowError:
        return False


def _integer(size: int) -> Callable[[_Reader], Value]:
    return lambda reader: str(reader.integer(size))


def _no_type() -> tuple[str, Callable[[_Reader], Value]]:
    raise ValueError("map")


_VALUES: dict[int, tuple[str, Callable[[_Reader], Value]]] = {
    0: ("null", lambda _: None),
    2: ("boolean", _boolean),
    3: ("byte", _integer(1)),
    4: ("bytes", _bytes),
    5: ("short", _integer(2)),
    6: ("integer", _integer(4)),
    7: ("long", _integer(8)),
    8: ("float", _single),
    9: ("double", _float(8, ">d")),
    10: ("string", _Reader.text),
    11: ("char", lambda reader: reader.take(2).decode("utf-16-be")),
}
_DECODERS: dict[str, Callable[[bytes], Decoded]] = {
    "text": _text,
    "map": _map,
    "object": _object,
}
