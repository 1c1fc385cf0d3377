"""Files of dmpmqmsg, once qload: attribute lines, then body lines, message after message.

Written after qloadfnc.c (ibm-messaging/mq-q-qload): `A xxx value` is an
attribute, `N` stands for none, `X` begins hexadecimal digits, `S` a quoted string in which
`~` escapes, `T` a line of text whose own ending was not kept. Lines with `*` and
empty ones are comments; those at the top name the queue and when the dump was made.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise

from extractors.exports.cut import Stretch, stretches, unreadable
from extractors.exports.unit import Settings, Unit
from extractors.files.view import View
from extractors.ibmmq.fields import BYTE, CHAR, FIELDS, LONG, text_of
from extractors.ibmmq.message import Raw, broken, unit_of

_STRETCH = re.compile(rb"(?:(?![XST])[^\n]*+\n)*+[XST][^\n]*+\n(?:(?![AN])[^\n]*+\n)*+")
_FIRST = re.compile(rb"^[ANXST]", re.MULTILINE)
_LAST = re.compile(rb"^[XST][^\n]*+\n?", re.MULTILINE)
_COMMENTS = re.compile(rb"(?:[ \t]*+\r?\n|\*[^\n]*+\n)*+(?:[ \t\r]*+|\*[^\n]*+)")
_HEXADECIMAL = re.compile(rb"(?:X (?:[0-9A-Fa-f]{2})*+[ \t]*+\r?\n)++")
_ATTRIBUTE = re.compile(rb"A ([A-Z]{3})(?: ([^\n]*))?")
_X_LINE = re.compile(rb"X *+((?:[0-9A-Fa-f]{2})*+)(?:[ \t][^\n]*)?")
_S_LINE = re.compile(rb'S *+(?:"((?:[^"~]++|~["~])*+)"[ \t]*|([^"\n][^\n]*)?)')
_ESCAPE = re.compile(rb"~(.)")
_QUEUE = re.compile(rb"^\* Queue\s*=\s*(\S+)", re.MULTILINE)
_TOP = re.compile(rb"^\* (?:QLOAD|DMPMQMSG)\b[^\n]*", re.MULTILINE)
_CREATED = re.compile(rb"Created:\w{3} (\w{3}) +(\d+) (\d+):(\d+):(\d+) (\d{4})")
_MONTHS = b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_LENGTHS = {"MsgId": 48, "CorrelId": 48, "GroupId": 48, "AccountingToken": 64}


def parse(view: View, path: str, settings: Settings) -> Iterator[Unit]:
    """The units of a file that is such a dump."""
    dump = _Dump(path, settings)
    for stretch in stretches(view, _ends, settings.longest):
        if stretch.sound:
            yield from dump.stretch(stretch, last=stretch.end == view.size)
        elif not _COMMENTS.fullmatch(stretch.data):
            yield from unreadable(stretch.start, stretch.data, dump.queue, "end")


class _Dump:
    """Where in a dump we are."""

    def __init__(self, path: str, settings: Settings) -> None:
        self.queue = path
        self._path = path
        self._settings = settings
        self._dumped: datetime | None = None

    def stretch(self, stretch: Stretch, *, last: bool) -> Iterator[Unit]:
        """Comments, a message, comments; what is neither is unreadable."""
        data = stretch.data
        start, end = _extent(data)
        yield from self._comments(stretch.start, data[:start])
        yield self._message(stretch.start + start, data[start:end], cut=last and end == len(data))
        yield from self._comments(stretch.start + end, data[end:])

    def _comments(self, start: int, data: bytes) -> Iterator[Unit]:
        for top in _TOP.finditer(data):
            self.queue = self._path
            self._dumped = _created(top[0])
        for queue in _QUEUE.finditer(data):
            self.queue = text_of(queue[1])
        if not _COMMENTS.fullmatch(data):
            yield from unreadable(start, data, self.queue, "line")

    def _message(self, start: int, data: bytes, *, cut: bool) -> Unit:
        fields: dict[str, tuple[str, str]] = {}
        try:
            body, lossy = _message(data, fields)
        except ValueError as damage:
            return broken(start, data, self.queue, str(damage), _identity(fields))
        if cut and not data.endswith(b"\n"):
            return broken(start, data, self.queue, "end", _identity(fields))
        raw = Raw(
            start,
            start + len(data),
            data,
            self.queue,
            fields,
            body,
            lossy=lossy,
            dumped=self._dumped,
        )
        return unit_of(raw, self._settings)


def _message(data: bytes, fields: dict[str, tuple[str, str]]) -> tuple[bytes, bool]:
    """Fills the fields; the body, and whether it is lossy. ValueError, saying where, for damage."""
    at = 0
    while data[at : at + 1] not in (b"X", b"S", b"T"):
        end = data.find(b"\n", at) + 1 or len(data)
        _attribute(data[at:end].rstrip(b"\r\n"), fields)
        at = end
    lines = data[at:]
    if at == 0:
        raise ValueError("line")
    if _HEXADECIMAL.fullmatch(lines):
        return bytes.fromhex(lines.translate(None, b"X \t\r\n").decode()), False
    split = lines.removesuffix(b"\n").split(b"\n")
    parts = [_body_line(line.removesuffix(b"\r")) for line in split]
    return b"".join(parts), any(line[:1] == b"T" for line in split)


def _attribute(line: bytes, fields: dict[str, tuple[str, str]]) -> None:
    if not line or line.startswith(b"*") or line == b"N":
        return
    found = _ATTRIBUTE.fullmatch(line)
    name, kind = FIELDS.get(found[1].decode(), ("", "")) if found else ("", "")
    if found is None or not name:
        raise ValueError("line")
    text = text_of(found[2] or b"")
    fields[name] = (kind, text.rstrip(" \0") if kind == CHAR else text.strip())
    if not _is(kind, fields[name][1], _LENGTHS.get(name)):
        raise ValueError(name)


def _is(kind: str, text: str, length: int | None) -> bool:
    """Whether a text is a value of this type; none at all is the default."""
    if not text:
        return True
    if kind == LONG:
        return bool(re.fullmatch(r"[-+]?[0-9]{1,10}", text))
    if kind == BYTE:
        whole = len(text) % 2 == 0 and length in (None, len(text))
        return whole and bool(re.fullmatch(r"[0-9A-Fa-f]+", text))
    return True


def _body_line(line: bytes) -> bytes:
    letter = line[:1]
    if letter == b"T" and line[1:2] in (b" ", b""):
        return line[2:] + b"\n"
    if letter == b"X" and (digits := _X_LINE.fullmatch(line)):
        return bytes.fromhex(digits[1].decode())
    if letter == b"S" and (string := _S_LINE.fullmatch(line)):
        if string[1] is not None:
            return _ESCAPE.sub(rb"\1", string[1])
        return (string[2] or b"").rstrip(b" ")
    if not line.strip() or letter == b"*":
        return b""
    raise ValueError("line")


def _extent(data: bytes) -> tuple[int, int]:
    """Where the message's own lines begin and end."""
    first, end = _FIRST.search(data), len(data)
    for line in _LAST.finditer(data):
        end = line.end()
    return (first.start() if first else 0), end


def _ends(data: bytes, final: bool) -> list[int]:
    """Where the messages in these bytes end: before the attributes of the next."""
    closed = data if data.endswith(b"\n") or not final else data + b"\n"
    ends = [0]
    while found := _STRETCH.match(closed, ends[-1]):
        end = min(found.end(), len(data))
        if end == ends[-1] or not (final or data[end : end + 1] in (b"A", b"N")):
            break
        ends.append(end)
    return [after for _, after in pairwise(ends)]


def _identity(fields: dict[str, tuple[str, str]]) -> str | None:
    text = fields.get("MsgId", ("", ""))[1].upper()
    return text if len(text) == _LENGTHS["MsgId"] and text.strip("0") else None


def _created(line: bytes) -> datetime | None:
    found = _CREATED.search(line)
    if found is None or found[1] not in _MONTHS:
        return None
    month = _MONTHS.index(found[1]) + 1
    day, hour, minute, second, year = (int(found[n]) for n in range(2, 7))
    try:
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - a wall clock
    except ValueError:
        return None
