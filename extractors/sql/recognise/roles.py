"""What a column of a message table is: by its name, its type, and what a sample shows."""

import re
from collections.abc import Iterator, Mapping, Sequence
from statistics import mean
from typing import TypeAlias

from extractors.sql.catalogue import Column, Table

Row: TypeAlias = Mapping[str, str | None]
"""Column to written text; binary values in hexadecimal."""

_TEXTS = frozenset(("text", "any", "json"))
_BODIES = frozenset(("text", "bytes", "any", "json"))
_BODY_NAMES = (
    *("payload", "body", "content", "message_content", "message_body", "msg_body"),
    *("message_payload", "message_bytes", "message", "msg", "envelope", "document", "raw", "data"),
    *("xml", "json", "edi", "text", "blob", "clob"),
)
_BODY_ENDS = ("_payload", "_body", "_content", "_xml", "_json", "_blob", "_clob", "_bytes")
_LONG = 200
"""Characters: what is longer on average is no code and no name."""

_NAMES: Mapping[str, str] = {
    "charset": r"enc|encoding|charset|character_?set|ccsid",
    "message_type": r"m_?type|(msg|message|event)_?(type|kind|name)|type|kind",
    "status": r"((msg|message)_?)?(state|status)",
    "priority": r"((msg|message)_?)?(prio|priority)",
    "attempts": r"tries|attempts?|retries|retry_?count|redeliver(y|ies)(_?count)?|delivery_?count",
    "correlation_id": r"corr|correl(ation)?(_?id)?|corr_?id|conversation_?id",
    "order_key": r"(order|group|partition|ordering)_?(key|id)|(msg|message)_?group|group_?key",
    "created_at": r"(created|enqueued?|inserted|put|sent|received|added|queued|written)"
    r"(_?(at|on|date|time|timestamp|ts|utc|local|ms|millis|epoch))*|creation_?(date|time)|((enqueue|msg|message)_?)?"
    r"(timestamp|ts)|(date|time)_?(created|sent|received)",
    "expires_at": r"expir(y|es?|ation|ed)"
    r"(_?(at|on|date|time|timestamp|ts|utc|local|ms|millis|epoch))*"
    r"|valid_?(to|until)",
}
_ORDER = r"seq|seq_?(no|nr|num)?|sequence(_?(no|number))?|msg_?seq|offset|position"
_NUMBERS = ("priority", "attempts")
TIMES = ("created_at", "expires_at")
_IDS = re.compile(r"(((msg|message|record|event)_?)?(id|guid|uuid|ref|reference))", re.IGNORECASE)


def key_of(table: Table) -> tuple[str, ...]:
    """The narrowest set of columns that the database itself keeps unique; () for none."""
    names = [column.name for column in table.columns]
    nullable = {column.name for column in table.columns if column.nullable}

    def rank(known: frozenset[str]) -> tuple[bool, int, int]:
        return bool(known & nullable), len(known), min(map(names.index, known))

    best = min(table.unique, key=rank, default=frozenset())
    return tuple(name for name in names if name in best)


def seeming_key(table: Table, rows: Sequence[Row]) -> str | None:
    """A column that looks like a key and is unique in the sample; the database does not say so."""
    for column in table.columns:
        values = [row.get(column.name) for row in rows]
        if _IDS.fullmatch(column.name) and values and len({*values} - {None}) == len(values):
            return column.name
    return None


def body_of(table: Table, rows: Sequence[Row]) -> str | None:
    """The column of the message's body: by name, else the one that holds nearly all the bytes."""
    columns = [column for column in table.columns if column.kind in _BODIES and not column.small]
    sizes = {column.name: _average(rows, column.name) for column in columns}
    named = [column.name for column in columns if _is_body_name(column.name)]
    if named:
        return min(named, key=lambda name: (sizes[name] < _LONG, _body_rank(name)))
    largest = max(sizes, key=lambda name: sizes[name], default=None)
    if largest is None or sizes[largest] < _LONG or sizes[largest] < 0.8 * sum(sizes.values()):
        return None
    return largest


def roles_of(table: Table, body: str | None, rows: Sequence[Row]) -> dict[str, str]:
    """Legacy column to store column, but for the body; each store column once."""
    found: dict[str, str] = {}
    for role, pattern in _NAMES.items():
        for column in table.columns:
            free = column.name != body and column.name not in found.values()
            if (
                free
                and re.fullmatch(pattern, column.name, re.IGNORECASE)
                and _fits(role, column, rows)
            ):
                found[role] = column.name
                break
    return found


def order_of(table: Table, roles: Mapping[str, str]) -> tuple[str, ...]:
    """When a row was written, and a number that says which came first."""
    numbers = (
        column.name
        for column in table.columns
        if column.kind in ("integer", "decimal")
        and re.fullmatch(_ORDER, column.name, re.IGNORECASE)
    )
    return tuple(name for name in (roles.get("created_at"), next(numbers, None)) if name)


def structural(rows: Sequence[Row], name: str) -> list[str] | None:
    """The distinct values of a column that holds codes: few, short, in capitals; None if not."""
    values = {row.get(name) for row in rows} - {None}
    texts = sorted(str(value) for value in values)
    if not texts or len(texts) > 12 or len(rows) < 2 * len(texts):
        return None
    return texts if all(re.fullmatch(r"[A-Z][A-Z_.]{0,31}", text) for text in texts) else None


def _fits(role: str, column: Column, rows: Sequence[Row]) -> bool:
    """Whether a column can be what its name says."""
    values = [value for row in rows if (value := row.get(column.name)) is not None]
    if role in _NUMBERS:
        return column.kind == "integer" or (bool(values) and all(map(_is_integer, values)))
    if role in TIMES:
        return column.kind != "bytes"
    if role == "charset":
        return column.kind in _TEXTS and all(map(_is_charset, values))
    return column.kind != "bytes" and all(len(value) <= _LONG for value in values)


def _is_body_name(name: str) -> bool:
    return name.lower() in _BODY_NAMES or name.lower().endswith(_BODY_ENDS)


def _body_rank(name: str) -> int:
    lower = name.lower()
    return _BODY_NAMES.index(lower) if lower in _BODY_NAMES else len(_BODY_NAMES)


def _average(rows: Sequence[Row], name: str) -> float:
    return mean(len(row.get(name) or "") for row in rows) if rows else 0.0


def _is_integer(text: str) -> bool:
    return re.fullmatch(r"-?[0-9]{1,18}", text) is not None


def _is_charset(text: str) -> bool:
    try:
        "".encode(text)
    except (LookupError, ValueError):
        return False
    return True


def words_of(name: str) -> Iterator[str]:
    """The words in a table's name, lower case: `isb_DeadLetter` is isb, dead, letter."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    yield from (word.lower() for word in re.split(r"[^A-Za-z0-9]+", spaced) if word)
