"""JSON bodies: fields by JSON pointer (RFC 6901), every number as it is written.

jiter parses and rejects (RFC 8259, duplicate members, invalid UTF-8, lone
surrogates); numbers keep their text. The two things it cannot keep, `-0` and
integers of more than 4,300 digits, are read again by the standard library.
"""

import json
import re
from collections.abc import Callable
from json.encoder import encode_basestring
from typing import Any

import jiter

from migrate.core.errors import PlanError
from migrate.core.flow import FieldSpec, PayloadSpec
from migrate.core.reasons import Reason
from migrate.transform.payload.charset import UTF_8, charset_of, decoded
from migrate.transform.payload.json_pointer import NOTHING, Pointer, compiled_pointer
from migrate.transform.payload.port import (
    ABSENT,
    ARRAY,
    BOOLEAN,
    EMPTY,
    NULL,
    NUMBER,
    OBJECT,
    STRING,
    TEXT,
    Body,
    Found,
    Refused,
    Value,
    bytes_of,
    one_value,
)

MAX_DEPTH = 200
"""jiter reads no deeper."""

_BOM = b"\xef\xbb\xbf"
_MINUS_ZERO = re.compile(rb"(?:^|[\[:,\s])-0(?:[\s,\]}]|$)")
_LONG_DIGITS = re.compile(rb"[0-9]{4000,}")
_PLACE = re.compile(r"line \d+ column \d+$")


class _Written(str):
    """A number's text."""

    __slots__ = ()


class JsonReader:
    """Reads JSON documents.

    A string enters as its text, a number as it is written, true and false as
    such, an object or array as compact JSON with its numbers as they are written. `many`
    takes an array's elements; a member name met on the way to it is asked of
    every element of an array.
    """

    def __init__(self, spec: PayloadSpec) -> None:
        if spec.max_depth > MAX_DEPTH:
            raise PlanError(f"JSON is read to a depth of {MAX_DEPTH}", key="max_depth")
        self._spec = spec
        self._fields = tuple((field.many, self.pointer(field)) for field in spec.fields)

    def pointer(self, field: FieldSpec) -> Pointer:
        """A field's selector, compiled. Raises PlanError."""
        return compiled_pointer(field)

    def read(self, body: Body) -> Found:
        """The fields of a document. Raises Refused."""
        document = self.document(body)
        values: list[Value] = []
        kinds: list[str] = []
        for many, pointer in self._fields:
            value, kind = _many(pointer, document) if many else _shown(pointer.find(document))
            values.append(value)
            kinds.append(kind)
        return values, kinds

    def document(self, body: Body) -> Any:
        """The parsed document. Raises Refused."""
        data = bytes_of(body, self._spec)
        charset = charset_of(body, self._spec.charset)
        if charset != UTF_8:
            data = decoded(data, charset).encode()
        elif data.startswith(_BOM):
            data = data[3:]
        document = _parsed(data)
        if _brackets(data) > self._spec.max_depth and _deeper(document, self._spec.max_depth):
            raise Refused(Reason.PAYLOAD_TOO_DEEP)
        return document


class RowReader(JsonReader):
    """Reads bodies of kind `row`: a JSON object of a table row, every value a text or null.

    A field's selector is a column's name. A binary column enters as its JSON
    object `{"$base64": …}`.
    """

    def pointer(self, field: FieldSpec) -> Pointer:
        """The column's name is a member's name, slashes and all. Raises PlanError."""
        one_value(field, "row")
        return Pointer((field.select,))

    def read(self, body: Body) -> Found:
        """The columns of a row. Raises Refused."""
        values, kinds = super().read(body)
        return values, [TEXT if kind == STRING else kind for kind in kinds]

    def document(self, body: Body) -> Any:
        """The row's object. Raises Refused."""
        document = super().document(body)
        if type(document) is not dict:
            raise Refused(Reason.PAYLOAD_MALFORMED)
        return document


def exact(value: Any) -> str:
    """Compact JSON text of a parsed value, its numbers as they were written."""
    kind = type(value)
    if kind is str:
        return encode_basestring(value)
    if kind is dict:
        members = [f"{encode_basestring(name)}:{exact(each)}" for name, each in value.items()]
        return "{" + ",".join(members) + "}"
    if kind is list:
        return "[" + ",".join([exact(each) for each in value]) + "]"
    return _SCALARS[kind](value)[0] or "null"


def _parsed(data: bytes) -> Any:
    try:
        document = jiter.from_json(
            data,
            allow_inf_nan=False,
            catch_duplicate_keys=True,
            float_mode="lossless-float",
            cache_mode="keys",
        )
    except ValueError as error:
        return _second_look(data, str(error))
    if b"-0" in data and _MINUS_ZERO.search(data):
        return _written(data)
    return document


def _second_look(data: bytes, problem: str) -> Any:
    """What jiter rejects: classified, or read again if it only has too many digits."""
    if problem.startswith("number out of range"):
        return _written(_verified(data))
    place = _PLACE.search(problem)
    raise Refused(_reason(data, problem), place[0] if place else None)


def _reason(data: bytes, problem: str) -> Reason:
    for start, reason in _PROBLEMS:
        if problem.startswith(start):
            return reason
    decoded(data, UTF_8)
    return Reason.PAYLOAD_MALFORMED


_PROBLEMS = (
    ("Detected duplicate key", Reason.PAYLOAD_DUPLICATE_MEMBER),
    ("recursion limit exceeded", Reason.PAYLOAD_TOO_DEEP),
)


def _verified(data: bytes) -> bytes:
    """The data, if all is well with it but for the length of its integers."""
    short = _LONG_DIGITS.sub(lambda match: match[0][:1000], data)
    try:
        jiter.from_json(short, allow_inf_nan=False, float_mode="lossless-float")
    except ValueError as error:
        raise Refused(_reason(data, str(error))) from None
    return data


def _written(data: bytes) -> Any:
    """The document with every number as its text, by the standard library."""
    decoder = json.JSONDecoder(
        parse_int=_Written, parse_float=_Written, object_pairs_hook=_members, strict=True
    )
    try:
        return decoder.decode(data.decode())
    except RecursionError:
        raise Refused(Reason.PAYLOAD_TOO_DEEP) from None
    except ValueError:
        raise Refused(Reason.PAYLOAD_MALFORMED) from None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Refused(Reason.PAYLOAD_DUPLICATE_MEMBER)
    return members


def _brackets(data: bytes) -> int:
    return data.count(b"[") + data.count(b"{")


def _deeper(document: Any, limit: int) -> bool:
    """Whether arrays and objects nest deeper than `limit`."""
    level = [document]
    for _ in range(limit + 1):
        level = [each for each in level if type(each) in (dict, list)]
        if not level:
            return False
        level = [
            child for each in level for child in (each.values() if type(each) is dict else each)
        ]
    return True


def _shown(value: Any) -> tuple[str | None, str]:
    if type(value) is str:  # nearly always
        return value, STRING if value else EMPTY
    if value is NOTHING:
        return None, ABSENT
    return _SCALARS[type(value)](value)


def _many(pointer: Pointer, document: Any) -> tuple[Value, str]:
    found = pointer.find_all(document)
    if type(found) is not list:
        value, kind = _shown(found)
        return (None, kind) if kind in (ABSENT, NULL) else ([value], kind)
    return [_shown(each)[0] for each in found], ARRAY


def _number(value: Any) -> tuple[str, str]:
    return str(value), NUMBER


_SCALARS: dict[type, Callable[[Any], tuple[str | None, str]]] = {
    str: lambda value: (value, STRING if value else EMPTY),
    int: _number,
    jiter.LosslessFloat: _number,
    _Written: lambda value: (str.__str__(value), NUMBER),
    bool: lambda value: ("true" if value else "false", BOOLEAN),
    type(None): lambda value: (None, NULL),
    dict: lambda value: (exact(value), OBJECT),
    list: lambda value: (exact(value), ARRAY),
}
