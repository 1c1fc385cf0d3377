"""What the bodies of a flow are, told from a sample: the commonest format, its commonest fields."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from migrate.core.errors import PlanError
from migrate.core.flow import FieldSpec, PayloadSpec, SourceSpec
from migrate.core.ports import LegacyStore
from migrate.core.proposal import spread
from migrate.plan.propose.names import field_names
from migrate.plan.propose.paths import (
    Step,
    Tally,
    json_paths,
    pointer,
    prefixes_of,
    xml_paths,
    xpath,
)
from migrate.transform.payload import payload_reader
from migrate.transform.payload.charset import charset_of, decoded
from migrate.transform.payload.csv_body import DELIMITER, HEADER, QUOTE
from migrate.transform.payload.java_body import MAGIC, SELECTOR
from migrate.transform.payload.json_body import JsonReader, RowReader
from migrate.transform.payload.port import Body, Refused
from migrate.transform.payload.xml_body import XmlReader

LARGEST = 1024 * 1024
"""A larger body is told by its beginning alone."""

_COLUMNS = 120
_EDI = re.compile(r"UN[AB][+:]|ISA[^A-Za-z0-9]")
_READABLE = 0.95


@dataclass(frozen=True, slots=True)
class Payload:
    """`spec` with its fields, and how many of `read` sampled bodies have each; `notes` say the
    rest. `sampled`: all bodies looked at."""

    spec: PayloadSpec
    counts: tuple[int, ...] = ()
    read: int = 0
    sampled: int = 0
    notes: tuple[str, ...] = ()


def payload_of(store: LegacyStore, source: SourceSpec, sample: int) -> Payload:
    """Reads a sample of a flow and says what its bodies are. Raises LegacyUnreadable."""
    return described(
        source, spread(_bodies(store, source), sample, lambda body: len(body.data or b""))
    )


def described(source: SourceSpec, bodies: Sequence[Body]) -> Payload:
    """What some bodies of a flow are."""
    if source.record.format in ("csv", "fixed"):
        return _by_record(source, bodies)
    formats = [format_of(body) for body in bodies]
    counted = Counter(formats)
    chosen = next((name for name, _ in counted.most_common() if name != "empty"), "opaque")
    alike = [body for body, name in zip(bodies, formats, strict=True) if name == chosen]
    found = _FORMATS[chosen](alike)
    notes = [*found.notes]
    if len(counted) > 1:
        listed = ", ".join(f"{number} {_WORDS[name]}" for name, number in counted.most_common())
        notes.append(f"DECIDE: bodies of several formats: {listed}; split the flow.")
    return replace(found, sampled=len(bodies), notes=tuple(notes))


def format_of(body: Body) -> str:
    """`empty`, `java`, `row`, `xml`, `json`, `edi`, `text` or `opaque`."""
    data = body.data
    if not data or not data.strip():
        return "empty"
    if data.startswith(MAGIC):
        return "java"
    if body.kind == "row":
        return "row"
    try:
        text = decoded(data, charset_of(body, None, xml=True))
    except Refused:
        return "opaque"
    start = text.lstrip()
    if start.startswith("<") and _is_whole(body, "xml"):
        return "xml"
    if start.startswith(("{", "[")) and _is_whole(body, "json"):
        return "json"
    if _EDI.match(start):
        return "edi"
    readable = sum(letter.isprintable() or letter.isspace() for letter in text[:4096])
    return "text" if readable >= _READABLE * len(text[:4096]) else "opaque"


def _is_whole(body: Body, name: str) -> bool:
    if len(body.data or b"") > LARGEST:
        return True
    try:
        _READERS[name].document(body)  # type: ignore[attr-defined]
    except Refused:
        return False
    return True


_READERS = {
    "xml": XmlReader(PayloadSpec("xml")),
    "json": JsonReader(PayloadSpec("json")),
    "row": RowReader(PayloadSpec("row")),
}
_WORDS = {
    "empty": "empty",
    "java": "Java objects",
    "row": "rows",
    "xml": "XML",
    "json": "JSON",
    "edi": "EDIFACT or X12",
    "text": "plain text",
    "opaque": "not readable",
}


def _bodies(store: LegacyStore, source: SourceSpec) -> Iterator[Body]:
    for chunk in store.read(source):
        yield from bodies_of(chunk.table)


def bodies_of(table: pa.Table) -> Iterator[Body]:
    """The bodies of a table in core.schema.LEGACY, but for records the store could not read."""
    names = ("body", "body_kind", "charset", "headers", "problem")
    for data, kind, charset, headers, problem in zip(
        *(table.column(name).to_pylist() for name in names), strict=True
    ):
        if problem is None:
            carried = tuple((each["name"], each["value"]) for each in headers or ())
            yield Body(data, kind, charset, carried)


def _xml(bodies: Sequence[Body]) -> Payload:
    tally, roots = Tally(), Counter[str]()
    declared: dict[str, Counter[str]] = {}
    for root in _documents("xml", bodies):
        tally.add(*xml_paths(root))
        roots[root.tag.rpartition("}")[2]] += 1
        for prefix, uri in root.nsmap.items():
            declared.setdefault(uri, Counter())[prefix or ""] += 1
    chosen = tally.commonest()
    prefixes = prefixes_of([path for path, _ in chosen], declared)
    selected = [(path, xpath(path, prefixes), number) for path, number in chosen]
    spaces = tuple((prefix, uri) for uri, prefix in prefixes.items())
    found = _fields(PayloadSpec("xml", namespaces=spaces), selected, tally)
    if len(roots) > 1:
        note = f"DECIDE: {len(roots)} kinds of documents, by their root; split the flow by them."
        return replace(found, notes=(*found.notes, note))
    return found


def _json(bodies: Sequence[Body]) -> Payload:
    tally = Tally()
    for document in _documents("json", bodies):
        tally.add(*json_paths(document))
    selected = [(path, pointer(path), number) for path, number in tally.commonest()]
    return _fields(PayloadSpec("json"), selected, tally)


def _row(bodies: Sequence[Body]) -> Payload:
    """Rows of a table, or maps: of these the members at the top."""
    tally = Tally()
    for document in _documents("row", bodies):
        tally.add({(Step("", name),): None for name in document})
    selected = [(path, path[0].name, number) for path, number in tally.found.items()]
    return _fields(PayloadSpec("row"), selected[:_COLUMNS], tally)


def _java(bodies: Sequence[Body]) -> Payload:
    spec = PayloadSpec("java", (FieldSpec("class_name", SELECTOR),))
    note = "Java objects: nothing but the name of the class is read; see docs/howto."
    return Payload(spec, (len(bodies),), len(bodies), notes=(note,))


def _edi(bodies: Sequence[Body]) -> Payload:
    note = "EDIFACT or X12: taken as text."
    return replace(_text(bodies), notes=(note,))


def _text(bodies: Sequence[Body]) -> Payload:
    spec = PayloadSpec("text", (FieldSpec("whole_text", "."),))
    return Payload(spec, (len(bodies),), len(bodies))


def _opaque(bodies: Sequence[Body]) -> Payload:
    del bodies
    return Payload(PayloadSpec("opaque"))


_FORMATS = {
    "xml": _xml,
    "json": _json,
    "row": _row,
    "java": _java,
    "edi": _edi,
    "text": _text,
    "opaque": _opaque,
}


def _documents(name: str, bodies: Sequence[Body]) -> Iterator[Any]:
    for body in bodies:
        if len(body.data or b"") <= LARGEST:
            try:
                yield _READERS[name].document(body)  # type: ignore[attr-defined]
            except Refused:
                continue


def _by_record(source: SourceSpec, bodies: Sequence[Body]) -> Payload:
    """Fields that the records of a file have by themselves: the columns of CSV."""
    spec = PayloadSpec(source.record.format)
    if spec.format == "fixed":
        note = 'Fields are spans of characters: fields = { no = "0:8" }.'
        return Payload(spec, sampled=len(bodies), notes=(note,))
    tally = Tally()
    for body in bodies:
        headers = dict(body.headers)
        tally.add({(Step("", name),): None for name in _header(headers)})
    selected = [(path, path[0].name, number) for path, number in tally.found.items()]
    return replace(_fields(spec, selected[:_COLUMNS], tally), sampled=len(bodies))


def _header(headers: dict[str, str | None]) -> list[str]:
    """The names in a header record, but for those that stand in it twice."""
    delimiter, quote = headers.get(DELIMITER) or ",", headers.get(QUOTE) or '"'
    rows = csv.reader([headers.get(HEADER) or ""], delimiter=delimiter, quotechar=quote)
    names = Counter(next(rows, []))
    return [name for name, often in names.items() if often == 1 and name.strip()]


def _fields(
    spec: PayloadSpec, selected: Sequence[tuple[tuple[Step, ...], str, int]], tally: Tally
) -> Payload:
    """Fields under names of their own; what their reader cannot follow is left out."""
    names = field_names([[step.name for step in path] for path, _, _ in selected])
    fields: list[FieldSpec] = []
    counts: list[int] = []
    for name, (path, select, number) in zip(names, selected, strict=True):
        field = FieldSpec(name, select, many=path in tally.many)
        try:
            payload_reader(replace(spec, fields=(field,)))
        except PlanError:
            continue
        fields.append(field)
        counts.append(number)
    return Payload(replace(spec, fields=tuple(fields)), tuple(counts), tally.bodies)
