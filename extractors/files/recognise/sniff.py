"""How a file is cut into records, by its name and its first 256 KiB."""

import codecs
import csv
import io
import json
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from xml.parsers import expat

from extractors.files.charset import DETECT
from migrate.core.flow import RecordSpec

HEAD = 256 * 1024

_ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"\x28\xb5\x2f\xfd")
_TAR = slice(257, 262)
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DELIMITERS = ",;\t|"
_CSV_SUFFIXES = (".csv", ".tsv", ".psv")
_LINES = (".jsonl", ".ndjson")
CODE = re.compile(r"[0-9]{2}|[A-Z][A-Z0-9]{1,2}")
_FIGURES = re.compile(r"[0-9.,:/ +-]+")
MOST_TYPES = 40
_ROWS = 200
_ATTRIBUTE = re.compile(r"[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Form:
    """How a file is cut, and what it is in words. `types`: its records begin with a type each."""

    record: RecordSpec
    what: str
    types: bool = False
    root: str | None = None  # of an XML document


WHOLE = Form(RecordSpec("file"), "files, each one record")
ARCHIVE = Form(RecordSpec("file"), "archives or compressed files, each one record: look inside")


def form_of(path: str, head: bytes, *, whole: bool) -> Form:
    """The form of a file; `whole`: the head is all of it. Never raises for what is in it."""
    if head.startswith(_ARCHIVES) or head[_TAR] == b"ustar":
        return ARCHIVE
    text = _text(head)
    if text is None or not text.strip():
        return WHOLE
    start = text.lstrip()
    name = PurePosixPath(path.removesuffix(".gz"))  # which some readers give out unpacked
    suffix = name.suffix.lower()
    if start.startswith("<") and re.match(r"<[?!A-Za-z_]", start):
        return _xml(head)
    if start[0] in "{[":
        return _json(start, suffix, whole=whole)
    return _lines(text if whole else text.rpartition("\n")[0], suffix)


def _text(head: bytes) -> str | None:
    """The text of a head, or None where it is none."""
    for mark, charset in _MARKS:
        if head.startswith(mark):
            return head.decode(charset, "ignore")
    if b"\0" in head:
        return None
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return head.decode("windows-1252", "replace")


class _Children:
    """The root of a document, and what stands directly below it, as far as the head goes."""

    def __init__(self) -> None:
        self.root: str | None = None
        self.names: Counter[str] = Counter()
        self.rich: Counter[str] = Counter()  # that hold more than a text
        self._depth = 0
        self._inside: str | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        local = name.rpartition(":")[2]
        if self._depth == 1:
            self.root = local
        elif self._depth == 2:
            self.names[local] += 1
            self._inside = local
            self.rich[local] += bool(attributes)
            self._inside = None if attributes else local
        elif self._inside is not None:
            self.rich[self._inside] += 1
            self._inside = None

    def end(self, name: str) -> None:
        del name
        self._depth -= 1


def _xml(head: bytes) -> Form:
    """A document, or many: below the root nothing but elements of one name, with parts."""
    if b"<!DOCTYPE" in head:
        return Form(RecordSpec("xml"), "XML, one document a file")  # nothing of it is expanded
    found = _Children()
    parser = expat.ParserCreate()
    parser.StartElementHandler = found.start
    parser.EndElementHandler = found.end
    with suppress(expat.ExpatError):  # what came before counts
        parser.Parse(head, False)
    (only, often), *others = found.names.most_common() or [("", 0)]
    if found.root and often > 1 and not others and found.rich[only] == often:
        each = f"/{found.root}/{only}"
        return Form(RecordSpec("xml", each=each), f"XML, many {only} to a file", root=found.root)
    return Form(RecordSpec("xml"), "XML, one document a file", root=found.root)


def _json(text: str, suffix: str, *, whole: bool) -> Form:
    lines = [line for line in text.splitlines() if line.strip()]
    complete = lines if whole else lines[:-1]
    parsed = [_is_json(line) for line in complete[:3]]
    if suffix in _LINES or (len(parsed) > 1 and all(parsed)):
        return Form(RecordSpec("jsonl", charset=DETECT), "JSON Lines, a record a line")
    if re.match(r"\[\s*\{", text):
        return Form(RecordSpec("json", each="/*"), "JSON, many to a file")
    return Form(RecordSpec("json"), "JSON, one document a file")


def _is_json(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict | list)
    except (ValueError, RecursionError):
        return False


def _lines(text: str, suffix: str) -> Form:
    """CSV, lines of one length, or no lines at all."""
    delimiter = _delimiter(text, suffix)
    rows = _rows(text, delimiter) if delimiter is not None else []
    if delimiter is not None and rows:
        return _csv(rows, delimiter)
    lengths = {len(line) for line in text.splitlines()[:_ROWS]}
    if len(lengths) == 1 and text.count("\n") > 2 and max(lengths) >= 10:
        return Form(RecordSpec("fixed", charset=DETECT), "lines of one length, a record each")
    return WHOLE


def _rows(text: str, delimiter: str) -> list[list[str]]:
    found: list[list[str]] = []
    with suppress(csv.Error):  # what came before counts
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if row:
                found.append(row)
            if len(found) >= _ROWS:
                break
    return found


def _delimiter(text: str, suffix: str) -> str | None:
    """What separates the fields; None where nothing does so consistently."""
    named = suffix in _CSV_SUFFIXES
    best, widest = None, 1
    for delimiter in _DELIMITERS:
        rows = _rows(text, delimiter)
        width, often = Counter(map(len, rows)).most_common(1)[0] if rows else (0, 0)
        steady = often * 10 >= len(rows) * 9 or _has_types(rows)
        enough = named or (width > 2 and len(rows) > 2)
        if width > widest and steady and enough:
            best, widest = delimiter, width
    return "," if best is None and named else best


def _csv(rows: Sequence[Sequence[str]], delimiter: str) -> Form:
    if _has_types(rows):
        record = RecordSpec("csv", header=False, delimiter=delimiter, charset=DETECT)
        return Form(record, "CSV, records of several types", types=True)
    if _has_header(rows):
        record = RecordSpec("csv", delimiter=delimiter, charset=DETECT)
        return Form(record, "CSV, the first record names the columns")
    width = Counter(map(len, rows)).most_common(1)[0][0]
    columns = numbered(width)
    record = RecordSpec("csv", header=False, columns=columns, delimiter=delimiter, charset=DETECT)
    return Form(record, "CSV without a header record: name the columns")


def numbered(width: int) -> tuple[str, ...]:
    """Names for columns that have none."""
    return tuple(f"column_{number:02d}" for number in range(1, width + 1))


def _has_types(rows: Sequence[Sequence[str]]) -> bool:
    """Whether records begin with codes, and each code has a width of its own."""
    widths: dict[str, set[int]] = {}
    for row in rows:
        widths.setdefault(row[0], set()).add(len(row))
    codes = all(CODE.fullmatch(code) for code in widths)
    steady = all(len(each) == 1 for each in widths.values())
    several = len({width for each in widths.values() for width in each}) > 1
    return 1 < len(widths) <= MOST_TYPES and codes and steady and several


def _has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first record can only be names: distinct, worded, and no figures."""
    names = [name.strip() for name in rows[0]]
    words = all(_ATTRIBUTE.search(name) and len(name) <= 80 for name in names)
    if not words or len(set(names)) != len(names):
        return False
    figures = any(_FIGURES.fullmatch(cell) for row in rows[1:] for cell in row)
    repeated = any(list(row) == list(rows[0]) for row in rows[1:])
    plain = all(re.fullmatch(r"[A-Za-z_][\w .()/-]*", name) for name in names)
    return (figures or plain) and not repeated
