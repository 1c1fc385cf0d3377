"""What a payload format has to be: a class of a PayloadSpec with a method `read`."""

from typing import NamedTuple, Protocol, TypeAlias

from migrate.core.errors import PlanError
from migrate.core.flow import FieldSpec, PayloadSpec
from migrate.core.reasons import Reason

Value: TypeAlias = str | list[str | None] | None
"""A field's written text; a list of texts where the plan says `many`; None when absent or null."""

Found: TypeAlias = tuple[list[Value], list[str]]
"""Values and kinds, one of each a field, in the plan's order."""

ABSENT = "absent"
NULL = "null"
EMPTY = "empty"
STRING = "string"
NUMBER = "number"
BOOLEAN = "boolean"
OBJECT = "object"
ARRAY = "array"
TEXT = "text"
"""Kinds of a field's value, as in the column `<field>__kind`. Formats without types say `text`."""


class Body(NamedTuple):
    """One legacy body and what the store said about it."""

    data: bytes | None
    kind: str | None = "bytes"  # text, bytes, row, null
    charset: str | None = None
    headers: tuple[tuple[str, str | None], ...] = ()  # (name, value), in the store's order


class Refused(Exception):
    """A body that yields no fields; `reason` is its class, `place` where, never a value."""

    def __init__(self, reason: Reason, place: str | None = None) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.place = place


class PayloadReader(Protocol):
    """Reads bodies of one flow. Pure: equal bodies give equal fields."""

    def __init__(self, spec: PayloadSpec) -> None:
        """Compiles the selectors. Raises PlanError (key: the field's name) for a bad one."""
        ...

    def read(self, body: Body) -> Found:
        """The fields of a body. Raises Refused, and nothing else, whatever the bytes."""
        ...


def bytes_of(body: Body, spec: PayloadSpec) -> bytes:
    """A body's bytes, if there are any and no more than the plan allows. Raises Refused."""
    if not body.data:
        raise Refused(Reason.PAYLOAD_EMPTY)
    if len(body.data) > spec.max_bytes:
        raise Refused(Reason.PAYLOAD_TOO_LARGE)
    return body.data


def one_value(field: FieldSpec, format_: str) -> None:
    """Raises PlanError for a `many` field of a format that knows no lists."""
    if field.many:
        raise PlanError(
            f"format {format_} has no field with many values", key=field.name, hint="drop `many`"
        )


def written(text: str) -> tuple[str, str]:
    """Value and kind of a text in a format without types."""
    return (text, TEXT) if text else (text, EMPTY)
