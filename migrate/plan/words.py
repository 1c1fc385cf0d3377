"""The small types of the plan's values: each refuses with a sentence, not with a pattern."""

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal, NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

RULE_BROKEN = "plan_rule"
"""The pydantic error type of every refusal made here; its context holds `message` and `hint`."""

SEGMENT_COLUMNS = (
    "body",
    "charset",
    "message_type",
    "priority",
    "correlation_id",
    "order_key",
    "status",
    "attempts",
    "created_at",
    "expires_at",
)
"""What a store column can be to a legacy message (`flow.NAME.columns`)."""

RESERVED_COLUMNS = frozenset(
    (
        *SEGMENT_COLUMNS,
        "flow",
        "position",
        "source_key",
        "legacy_id",
        "body_kind",
        "created_at_text",
        "expires_at_text",
        "delivered_to",
        "headers",
        "problem",
        "problem_place",
        "record_digest",
        "as_of",
    )
)
"""Names a payload field cannot have: rules and mappings see these columns beside it."""


def refuse(message: str, hint: str | None = None) -> NoReturn:
    """Refuse a value from within a validator; the message must not repeat a secret."""
    raise PydanticCustomError(RULE_BROKEN, "{message}", {"message": message, "hint": hint})


def _matching(pattern: str, message: str, hint: str) -> tuple[AfterValidator, WithJsonSchema]:
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if compiled.fullmatch(value) is None:
            refuse(message, hint)
        return value

    return AfterValidator(check), WithJsonSchema({"type": "string", "pattern": f"^(?:{pattern})$"})


_NAME_CHECK, _NAME_SCHEMA = _matching(
    "[a-z][a-z0-9_-]*",
    "is not a usable name",
    "lower-case letters, digits, - and _, a letter first: names become folders and ids",
)
Name = Annotated[str, _NAME_CHECK, _NAME_SCHEMA]

_RAMP_CHECK, _RAMP_SCHEMA = _matching(
    r"[A-Za-z0-9][A-Za-z0-9._:/-]*",
    "is not a usable off-ramp name",
    "letters, digits and . _ - : / without blanks",
)
RampName = Annotated[str, _RAMP_CHECK, _RAMP_SCHEMA]

_IDENTIFIER_CHECK, _IDENTIFIER_SCHEMA = _matching(
    "[A-Za-z_][A-Za-z0-9_]*",
    "is not a name SQL can use unquoted",
    "letters, digits and _, no digit first",
)


def _field_name(value: str) -> str:
    lower = value.lower()
    if lower in RESERVED_COLUMNS:
        refuse("is the name of a legacy column", f'choose another, such as "payload_{value}"')
    if lower.endswith("__kind") or lower.startswith("_"):
        refuse("names that start with _ or end with __kind are taken", "choose another name")
    return value


FieldName = Annotated[str, _IDENTIFIER_CHECK, AfterValidator(_field_name), _IDENTIFIER_SCHEMA]


def _table_name(value: str) -> str:
    if value.lower() in ("message", "pairs"):
        refuse("is a relation every mapping has already", "choose another name")
    return value


TableName = Annotated[str, _IDENTIFIER_CHECK, AfterValidator(_table_name), _IDENTIFIER_SCHEMA]

_NAMESPACE_CHECK, _NAMESPACE_SCHEMA = _matching(
    r"[a-z][a-z0-9-]*(\.[a-z0-9][a-z0-9-]*)*",
    "is not a namespace",
    'lower-case words joined by dots, such as "met.isb"',
)
Namespace = Annotated[str, _NAMESPACE_CHECK, _NAMESPACE_SCHEMA]

_TYPE_CHECK, _TYPE_SCHEMA = _matching(
    "[a-z][a-z0-9]*(-[a-z0-9]+)*/[1-9][0-9]*",
    "is not a message type",
    'a name, a slash, a version number, such as "custody-record/2"',
)
MessageType = Annotated[str, _TYPE_CHECK, _TYPE_SCHEMA]


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        refuse("is no time zone known here", 'an IANA name, such as "Europe/London"')
    return value


Zone = Annotated[str, AfterValidator(_zone)]


def _text(value: str) -> str:
    if not value.strip():
        refuse("is empty", "write something, or leave an optional key out")
    return value


Text = Annotated[str, AfterValidator(_text), WithJsonSchema({"type": "string", "minLength": 1})]


def _label(value: str) -> str:
    if not value.strip() or not value.isprintable():
        refuse("is empty or holds control characters", "it rides on every message as a header")
    return value


Label = Annotated[str, AfterValidator(_label), WithJsonSchema({"type": "string", "minLength": 1})]

_CHARACTER = WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 1})


def _character(value: str) -> str:
    if len(value) != 1:
        refuse("must be exactly one character", r'a tab is written "\t"')
    return value


Character = Annotated[str, AfterValidator(_character), _CHARACTER]


def _charset(value: str) -> str:
    try:
        "".encode(value)
    except LookupError:
        refuse("is no character set known here", 'such as "utf-8", "windows-1252", "iso-8859-1"')
    return value


Charset = Annotated[str, AfterValidator(_charset)]
FileCharset = Annotated[str, AfterValidator(lambda v: v if v == "detect" else _charset(v))]

_SHARE = re.compile(r"(\d{1,3}(?:\.\d+)?)%")


def _limit(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return str(value)
    match = _SHARE.fullmatch(value) if isinstance(value, str) else None
    if match is None or float(match[1]) > 100:
        refuse("is no limit", 'a count such as 25, or a share such as "10%" up to "100%"')
    return value


Limit = Annotated[
    str,
    BeforeValidator(_limit, json_schema_input_type=int | str),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {"type": "string", "pattern": r"^\d{1,3}(\.\d+)?%$"},
            ]
        }
    ),
]


_UNITS = {"": 1, "B": 1, "kB": 10**3, "KiB": 2**10, "MB": 10**6, "MiB": 2**20, "GB": 10**9}
_UNITS["GiB"] = 2**30
_SIZE = re.compile(r"(\d{1,15}) ?([A-Za-z]*)")


def _size(value: Any) -> Any:
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if match is not None and match[2] in _UNITS:
        return int(match[1]) * _UNITS[match[2]]
    if isinstance(value, bool) or not isinstance(value, int):
        refuse("is no size", 'bytes as a whole number, or such as "512 KiB", "1 MiB", "2 MB"')
    return value


Size = Annotated[
    int,
    BeforeValidator(_size, json_schema_input_type=int | str),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1},
                {"type": "string", "pattern": r"^\d{1,15} ?(B|kB|KiB|MB|MiB|GB|GiB)?$"},
            ]
        }
    ),
]
"""Bytes."""

_TIME_OF_DAY, _TIME_OF_DAY_SCHEMA = _matching(
    "([01][0-9]|2[0-3]):[0-5][0-9]|24:00",
    "is no time of day",
    'hours and minutes, such as "08:00"; "24:00" is the end of the day',
)
TimeOfDay = Annotated[str, _TIME_OF_DAY, _TIME_OF_DAY_SCHEMA]

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _option(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


Option = Annotated[
    str,
    BeforeValidator(_option),
    WithJsonSchema({"type": ["string", "number", "boolean"]}),
]


def short_for(key: str) -> Callable[[Any], Any]:
    """A validator that reads a bare text as a table with this one key."""

    def widen(value: Any) -> Any:
        return {key: value} if isinstance(value, str) else value

    return widen
