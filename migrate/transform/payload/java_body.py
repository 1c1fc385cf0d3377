"""Java-serialised bodies: bytes nobody looks into, but for the name of the class.

Nothing is ever deserialised: reading a stream of unknown classes means running what it asks for.
The head of a stream says which class its first object is of; that much is read here, by the Java
Object Serialization Specification, chapter 6 (Object Serialization Stream Protocol):

    0xACED, version 5, then contents: block data (primitive values, left out here), or an object

    TC_OBJECT 0x73, TC_ARRAY 0x75, TC_ENUM 0x7E   followed by the description of the class
    TC_STRING 0x74, TC_LONGSTRING 0x7C            a java.lang.String
    TC_CLASS 0x76                                 a java.lang.Class
    TC_CLASSDESC 0x72                             uint16 length, name in modified UTF-8, …
    TC_PROXYCLASSDESC 0x7D                        int32 count, the names of the interfaces
"""

import struct

from migrate.core.errors import PlanError
from migrate.core.flow import PayloadSpec
from migrate.core.reasons import Reason
from migrate.transform.payload.port import (
    ABSENT,
    NULL,
    TEXT,
    Body,
    Found,
    Refused,
    Value,
    bytes_of,
    one_value,
)

MAGIC = b"\xac\xed\x00\x05"
SELECTOR = "class"

_NULL, _CLASSDESC, _OBJECT, _STRING, _ARRAY, _CLASS = 0x70, 0x72, 0x73, 0x74, 0x75, 0x76
_BLOCK, _RESET, _LONG_BLOCK, _LONG_STRING, _PROXY, _ENUM = 0x77, 0x79, 0x7A, 0x7C, 0x7D, 0x7E
_DESCRIBED = frozenset((_OBJECT, _ARRAY, _ENUM))
_OF_ITSELF = {
    _STRING: "java.lang.String",
    _LONG_STRING: "java.lang.String",
    _CLASS: "java.lang.Class",
    _CLASSDESC: "java.io.ObjectStreamClass",
    _PROXY: "java.io.ObjectStreamClass",
}
_UINT16, _INT32 = struct.Struct(">H"), struct.Struct(">i")


class JavaReader:
    """Reads the class name of a Java serialisation stream; the one selector is `class`.

    The name is Java's own (`[B` for a byte array); of a dynamic proxy it is that of its first
    interface. A stream of primitive values alone has none (absent); one whose first object is
    null has null. A body that is no such stream is malformed (place: the byte).
    """

    def __init__(self, spec: PayloadSpec) -> None:
        for field in spec.fields:
            one_value(field, "java")
            if field.select != SELECTOR:
                raise PlanError(
                    "nothing but the class name is read of a Java stream",
                    key=field.name,
                    hint=f'select = "{SELECTOR}"',
                )
        self._spec = spec

    def read(self, body: Body) -> Found:
        """The class name, once a field. Raises Refused."""
        value, kind = class_name(bytes_of(body, self._spec))
        many = len(self._spec.fields)
        return [value] * many, [kind] * many


def class_name(data: bytes) -> tuple[Value, str]:
    """The class of a stream's first object, and the field's kind. Raises Refused."""
    if not data.startswith(MAGIC):
        raise _no_stream(0)
    at = _behind_blocks(data, len(MAGIC))
    if at == len(data):
        return None, ABSENT
    tag = data[at]
    if tag == _NULL:
        return None, NULL
    if tag in _OF_ITSELF:
        return _OF_ITSELF[tag], TEXT
    if tag not in _DESCRIBED:
        raise _no_stream(at)
    return _described(data, at + 1), TEXT


def _behind_blocks(data: bytes, at: int) -> int:
    """Where the first content is that is neither block data nor a reset."""
    while at < len(data):
        if data[at] == _RESET:
            at += 1
        elif data[at] == _BLOCK:
            at = _end(data, at, at + 2 + _byte(data, at + 1))
        elif data[at] == _LONG_BLOCK:
            size = _number(_INT32, data, at + 1)
            at = _end(data, at, at + 5 + size if size >= 0 else -1)
        else:
            break
    return at


def _described(data: bytes, at: int) -> str:
    """The name in a class description."""
    tag = _byte(data, at)
    if tag == _CLASSDESC:
        return _name(data, at + 1)
    if tag == _PROXY and _number(_INT32, data, at + 1) > 0:
        return _name(data, at + 5)
    raise _no_stream(at)


def _name(data: bytes, at: int) -> str:
    """A name in modified UTF-8: supplementary characters are pairs of encoded surrogates."""
    start = at + _UINT16.size
    end = _end(data, at, start + _number(_UINT16, data, at))
    try:
        units = data[start:end].decode("utf-8", "surrogatepass")
        name = units.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeError:
        raise _no_stream(start) from None
    if not name or not name.isprintable():
        raise _no_stream(start)
    return name


def _byte(data: bytes, at: int) -> int:
    if at >= len(data):
        raise _no_stream(at)
    return data[at]


def _number(form: struct.Struct, data: bytes, at: int) -> int:
    if at + form.size > len(data):
        raise _no_stream(at)
    value: int = form.unpack_from(data, at)[0]
    return value


def _end(data: bytes, start: int, end: int) -> int:
    if not start < end <= len(data):
        raise _no_stream(start)
    return end


def _no_stream(at: int) -> Refused:
    return Refused(Reason.PAYLOAD_MALFORMED, f"byte {at}")
