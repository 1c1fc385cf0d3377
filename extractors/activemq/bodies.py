"""The body of a message: its content as bytes that mean something without Java.

text: the text in UTF-8; null stays null. bytes: as they are. map, stream: compact JSON, the
types of the values beside it. object: Java's serialised bytes as they are, never deserialised,
and the name of the class that they name first. Compressed content is inflated, up to a limit.
"""

import struct
import zlib
from typing import NamedTuple

from extractors.activemq.frames import BLOB, BYTES, EMPTY, MAP, OBJECT, STREAM, TEXT, Frame
from extractors.activemq.primitives import BROKEN, Malformed, list_json, map_json, text

MAX_INFLATED = 100 * 1024 * 1024
_SIZE = struct.Struct(">i").unpack_from
_STREAM_START = b"\xac\xed\x00\x05"
_NEW_OBJECT = _STREAM_START + b"sr"


class Body(NamedTuple):
    """`kind` as in a legacy segment; `types`: JSON of a map's or stream's types; `class_name`: an
    object's class, where its bytes name it."""

    data: bytes | None
    kind: str
    types: str | None = None
    class_name: str | None = None


def body_of(frame: Frame, max_inflated: int = MAX_INFLATED) -> Body:
    """A message's body. Raises Malformed("content"), for a blob too: its content is elsewhere."""
    try:
        content = frame.content
        if frame.compressed and content is not None:
            content = _inflated(content, max_inflated, counted=frame.kind == BYTES)
        return _READERS[frame.kind](content)
    except BROKEN:
        raise Malformed("content") from None


def _inflated(content: bytes, limit: int, *, counted: bool) -> bytes:
    """A whole zlib stream.

    In bytes messages it stands behind the size of the message: the vendor's client compresses
    its whole buffer (`ActiveMQBytesMessage.doCompress`), of which the message is the beginning.
    """
    if counted and not content:
        return content
    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(content[4:] if counted else content, limit)
    except zlib.error:
        raise Malformed("content") from None
    if not inflater.eof or inflater.unused_data:
        raise Malformed("content")
    return _beginning(data, _SIZE(content, 0)[0]) if counted else data


def _beginning(data: bytes, size: int) -> bytes:
    if not 0 <= size <= len(data):
        raise Malformed("content")
    return data[:size]


def _text(content: bytes | None) -> Body:
    if content is None:
        return Body(None, "null")
    size = _SIZE(content, 0)[0]
    if size == -1 and len(content) == 4:
        return Body(None, "null")
    if size != len(content) - 4:
        raise Malformed("content")
    data = content[4:]
    return Body(data if data.isascii() else text(data).encode(), "text")


def _bytes(content: bytes | None) -> Body:
    return Body(content or b"", "bytes")


def _map(content: bytes | None) -> Body:
    types, values = map_json(content) if content is not None else ("{}", "{}")
    return Body(values.encode(), "row", types)


def _stream(content: bytes | None) -> Body:
    types, values = list_json(content or b"")
    return Body(values.encode(), "row", types)


def _object(content: bytes | None) -> Body:
    if content is None:
        return Body(None, "null")
    return Body(content, "bytes", None, _class_name(content))


def _empty(content: bytes | None) -> Body:
    return Body(content, "null" if content is None else "bytes")


def _blob(content: bytes | None) -> Body:
    raise Malformed("content")


def _class_name(content: bytes) -> str | None:
    """The class of a serialised object, by the first bytes of Java's stream (protocol 5)."""
    if not content.startswith(_NEW_OBJECT):
        return "java.lang.String" if content.startswith(_STREAM_START + b"t") else None
    start = len(_NEW_OBJECT) + 2
    end = start + int.from_bytes(content[len(_NEW_OBJECT) : start], "big")
    try:
        return text(content[start:end]) if end <= len(content) else None
    except UnicodeError:
        return None


_READERS = {
    TEXT: _text,
    BYTES: _bytes,
    MAP: _map,
    STREAM: _stream,
    OBJECT: _object,
    EMPTY: _empty,
    BLOB: _blob,
}
