"""A message descriptor and the message's data into a unit."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from extractors.exports.cut import unreadable
from extractors.exports.unit import Header, Settings, Unit
from extractors.ibmmq.ccsid import codec_of
from extractors.ibmmq.fields import BYTE
from extractors.ibmmq.rfh2 import BadHeader, Data, is_little, peeled
from migrate.core.clock import UnreadableTime, instant, rfc3339
from migrate.core.flow import TimeSpec
from migrate.core.reasons import Reason

_TYPES = {"1": "request", "2": "reply", "4": "report", "8": "datagram"}
_INTEGER = re.compile(r"\s*-?[0-9]{1,18}\s*")
_DIGITS = re.compile(r"[0-9]{8}")

Fields = Mapping[str, tuple[str, str]]
"""Name of a field → type and written text; characters trimmed, bytes in hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class Raw:
    """A message as a dump gives it."""

    start: int
    end: int  # where it stands in the file
    record: bytes  # those bytes
    queue: str
    fields: Fields
    body: bytes
    headers: tuple[Header, ...] = ()  # properties printed beside the data
    dead: Fields | None = None  # a dead-letter header printed beside the data
    lossy: bool = False
    dumped: datetime | None = None  # on the wall clock where it was dumped


def unit_of(raw: Raw, settings: Settings) -> Unit:
    """The unit. Where a header of the data is damaged the data is kept whole, headers and all."""
    fields = raw.fields
    identity = _id(fields, "MsgId")
    described = _described(raw)
    try:
        data = peeled(described)
    except BadHeader as damage:
        (unit,) = unreadable(raw.start, raw.record, raw.queue, str(damage))
        headers = _headers(raw, described)
        return unit._replace(body=raw.body, headers=headers, identity=identity, lossy=raw.lossy)
    headers = _headers(raw, data)
    columns = {
        **_columns(fields, {name: text for name, _, text in data.headers}),
        "status": "dead" if data.dead else "ready",
        "expires_at": _expires_at(fields, raw.dumped, settings),
        **_kind(data, settings),
    }
    return Unit(
        raw.start, raw.end, raw.queue, identity, data.body, columns, headers, lossy=raw.lossy
    )


def broken(start: int, record: bytes, queue: str, place: str, identity: str | None = None) -> Unit:
    """A message that cannot be made out; its part of the dump as it stands there."""
    columns = {"body_kind": "bytes"}
    end = start + len(record)
    problem = Reason.RECORD_UNREADABLE
    return Unit(start, end, queue, identity, record, columns, problem=problem, place=place)


def _described(raw: Raw) -> Data:
    """What the descriptor, or a dead-letter header printed beside the data, says of the data."""
    says = raw.fields if raw.dead is None else raw.dead
    return Data(
        raw.body,
        _text(says, "Format") or "",
        _number(says, "CodedCharSetId"),
        is_little(_number(says, "Encoding")),
        raw.headers,
        dead=raw.dead is not None,
    )


def _kind(data: Data, settings: Settings) -> dict[str, str | None]:
    charset = codec_of(data.ccsid, little=data.little) or settings.charset
    return {"body_kind": "text" if data.form == "MQSTR" else "bytes", "charset": charset}


def _columns(fields: Fields, known: Mapping[str, str | None]) -> dict[str, str | None]:
    written = _text(fields, "MsgType")
    return {
        "message_type": _TYPES.get(written or "", written),
        "priority": _text(fields, "Priority"),
        "correlation_id": _id(fields, "CorrelId") or known.get("jms.Cid"),
        "order_key": known.get("jms.Gid") or _id(fields, "GroupId"),
        "attempts": _text(fields, "BackoutCount"),
        "created_at": _created_at(fields),
    }


def _created_at(fields: Fields) -> str | None:
    """PutDate and PutTime, which are Greenwich Mean Time, in a form the clock reads."""
    day, time = _text(fields, "PutDate") or "", _text(fields, "PutTime") or ""
    if not (day or time):
        return None
    if not (_DIGITS.fullmatch(day) and _DIGITS.fullmatch(time)):
        return f"{day} {time}"
    date = f"{day[:4]}-{day[4:6]}-{day[6:]}"
    return f"{date}T{time[:2]}:{time[2:4]}:{time[4:6]}.{time[6:]}"


def _expires_at(fields: Fields, dumped: datetime | None, settings: Settings) -> str | None:
    """When the rest of its life, counted in tenths of a second from the dump, is over.

    Where nobody says when the dump was made, a text that is no time: a message
    that expires must not pass for one that does not.
    """
    written = _text(fields, "Expiry")
    if written is None or written.startswith("-"):
        return None
    try:
        rest = timedelta(milliseconds=100 * _number(fields, "Expiry"))
        if settings.dumped_at is not None:
            moment = instant(settings.dumped_at, TimeSpec("offset"))
            return rfc3339(moment + rest) if moment else None
        return (dumped + rest).isoformat() if dumped else f"{written} tenths of a second"
    except (OverflowError, UnreadableTime):
        return f"{written} tenths of a second"


def _headers(raw: Raw, data: Data) -> tuple[Header, ...]:
    queue: Header = ("queue", "string", raw.queue)
    own = [(f"MQMD.{name}", kind, text) for name, (kind, text) in raw.fields.items()]
    lossy: tuple[Header, ...] = (("lossy", "string", "text lines"),) if raw.lossy else ()
    return (queue, *own, *data.headers, *lossy)


def _id(fields: Fields, name: str) -> str | None:
    """An identifier in capital hexadecimal digits; None for none, which is all zeros."""
    text = fields.get(name, (BYTE, ""))[1]
    return text.upper() if text.strip("0") else None


def _text(fields: Fields, name: str) -> str | None:
    text = fields.get(name, ("", ""))[1].strip()
    return text or None


def _number(fields: Fields, name: str) -> int:
    text = fields.get(name, ("", ""))[1]
    return int(text) if _INTEGER.fullmatch(text) else 0
