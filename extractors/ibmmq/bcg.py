"""What the sample program amqsbcg prints: descriptors by name, data as a hexadecimal dump.

Written after amqsbcg0.c as it comes with IBM MQ, and what it prints. The text
beside the hexadecimal digits is never read. A message that did not fit the
program's buffer of 64 KiB was printed in part, and is unreadable.
"""

import re
from collections.abc import Iterator

from extractors.exports.cut import cut_short, stretches, unreadable
from extractors.exports.unit import Header, Settings, Unit
from extractors.files.view import View
from extractors.ibmmq.fields import CHAR, LONG, NAMES, text_of
from extractors.ibmmq.message import Raw, broken, unit_of

_GET = re.compile(rb"^ ?MQGET of message number [0-9]+[^\n]*\n", re.MULTILINE)
_OPEN = re.compile(rb"^ ?MQOPEN - '([^'\n]*)'", re.MULTILINE)
_START = re.compile(rb"^[ \t]*AMQSBCG0 - starts", re.MULTILINE)
_ENDED = re.compile(rb"^\s*No more messages", re.MULTILINE | re.IGNORECASE)
_TAIL = re.compile(
    rb"^[ \t]*(?:No more messages|MQCLOSE|MQDISC|MQDLTMH|MQGET [0-9]+, failed"
    rb"|\*{4}\s*Summary|AMQSBCG0 - starts)",
    re.MULTILINE | re.IGNORECASE,
)
_SECTION = re.compile(
    rb"^\*{4} *(Message descriptor|Message properties|Dead Letter Header|Message) *\*{4}[^\n]*\n",
    re.MULTILINE,
)
_LENGTH = re.compile(rb"\s*length - ([0-9]+)(?: of ([0-9]+))? bytes[ \t\r]*\n")
_LINE = re.compile(rb"([0-9A-Fa-f]{8}):([0-9A-Fa-f ]*)'[^\n]*")
_VALUE = rb"\b%s\s*:\s*(?:X'([0-9A-Fa-f]*)'|'([^\n]*?)'(?=\s|\Z)|(-?[0-9]+))"
_FIELDS = {name: re.compile(_VALUE % name.encode()) for name in NAMES}
_DEAD = {
    name: re.compile(_VALUE % name.encode())
    for name in (
        *("DestQName", "DestQMgrName", "Encoding", "CodedCharSetId", "Format"),
        *("PutApplType", "PutApplName", "PutDate", "PutTime", "Reason"),
    )
}
_PROPERTY = re.compile(rb"^  (\S[^\n]*?) : ((?:[^\n]*)(?:\n(?!  \S[^\n]*? : )[^\n]*)*)", re.M)
_HEXADECIMAL = re.compile(rb"X'([0-9A-Fa-f]*)'")


def parse(view: View, path: str, settings: Settings) -> Iterator[Unit]:
    """The units of a file that is such output, or several one behind the other."""
    queue = path
    for stretch in stretches(view, _ends, settings.longest):
        data = stretch.data
        if not stretch.sound:
            yield from unreadable(stretch.start, data, queue, "end")
            continue
        if _GET.match(data):
            yield _message(stretch.start, data, queue, settings)
        elif _SECTION.search(data):
            yield from unreadable(stretch.start, data, queue, "document")
        stops = stretch.end == view.size or (stretch.start > 0 and _START.search(data))
        if stops and not _ENDED.search(data):
            yield cut_short(stretch.end, queue)
        for opened in _OPEN.finditer(data):
            queue = text_of(opened[1]).strip() or path


def _ends(data: bytes, final: bool) -> list[int]:
    """Before every message, and at the end of the file."""
    ends = [found.start() for found in _GET.finditer(data) if found.start()]
    return [*ends, len(data)] if final and data else ends


def _message(start: int, data: bytes, queue: str, settings: Settings) -> Unit:
    tail = _TAIL.search(data)
    record = data[: tail.start()] if tail else data
    sections = _sections(record)
    fields = _fields(sections.get(b"Message descriptor", b""))
    identity = fields.get("MsgId", ("", ""))[1] or None
    try:
        body = _body(sections.get(b"Message", b""))
    except ValueError as damage:
        return broken(start, record, queue, str(damage), identity)
    dead = sections.get(b"Dead Letter Header")
    dead_fields = None if dead is None else _found(dead, _DEAD)
    headers = _properties(sections.get(b"Message properties", b""))
    headers += [(f"MQDLH.{name}", kind, text) for name, (kind, text) in (dead_fields or {}).items()]
    raw = Raw(
        start,
        start + len(record),
        record,
        queue,
        fields,
        body,
        headers=tuple(headers),
        dead=dead_fields,
    )
    return unit_of(raw, settings)


def _sections(record: bytes) -> dict[bytes, bytes]:
    found = list(_SECTION.finditer(record))
    ends = [*(after.start() for after in found[1:]), len(record)]
    return {one[1]: record[one.end() : end] for one, end in zip(found, ends, strict=False)}


def _fields(section: bytes) -> dict[str, tuple[str, str]]:
    return _found(section, _FIELDS)


def _found(section: bytes, names: dict[str, re.Pattern[bytes]]) -> dict[str, tuple[str, str]]:
    """The fields of a section, by name: type and text."""
    fields: dict[str, tuple[str, str]] = {}
    for name, pattern in names.items():
        if value := pattern.search(section):
            text = text_of(next((part for part in value.groups() if part is not None), b""))
            kind = NAMES.get(name, LONG if value[3] is not None else CHAR)
            fields[name] = (kind, text.rstrip(" \0"))
    return fields


def _body(section: bytes) -> bytes:
    """The data. ValueError, saying where, unless all of it was printed."""
    length = _LENGTH.match(section)
    if length is None:
        raise ValueError("length")
    body = bytearray()
    for line in section[length.end() :].split(b"\n"):
        if not line.strip():
            continue
        written = _LINE.fullmatch(line)
        if written is None or int(written[1], 16) != len(body):
            raise ValueError("line")
        body += _digits(written[2])
    if len(body) != int(length[1]) or length[1] != (length[2] or length[1]):
        raise ValueError("length")
    return bytes(body)


def _digits(written: bytes) -> bytes:
    try:
        return bytes.fromhex(written.decode())
    except ValueError:
        raise ValueError("line") from None


def _properties(section: bytes) -> list[Header]:
    """Printed message properties; what type they had shows in how they are written."""
    return [_property(text_of(one[1]), one[2].rstrip()) for one in _PROPERTY.finditer(section)]


def _property(name: str, written: bytes) -> Header:
    text = text_of(written)
    if digits := _HEXADECIMAL.fullmatch(written):
        return (name, "bytes", text_of(digits[1]))
    if len(text) > 1 and text[0] == text[-1] == "'":
        return (name, "string", text[1:-1])
    if text == "NULL":
        return (name, "null", None)
    return (name, "boolean", text.lower()) if text in ("TRUE", "FALSE") else (name, "number", text)
