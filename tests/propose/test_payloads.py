"""Fields are proposed of what bodies have, and what is proposed reads them."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.core.flow import RecordSpec, SourceSpec
from migrate.core.proposal import plain_name, spread
from migrate.plan.propose.names import field_names, identifier
from migrate.plan.propose.payload import described, format_of
from migrate.plan.words import RESERVED_COLUMNS
from migrate.transform.payload import payload_reader
from migrate.transform.payload.port import ABSENT, Body

SOURCE = SourceSpec("flow", "store", "t")


def bodies(*texts: str | bytes) -> list[Body]:
    return [Body(text if isinstance(text, bytes) else text.encode()) for text in texts]


def selects(texts: Sequence[str | bytes]) -> dict[str, str]:
    return {field.name: field.select for field in described(SOURCE, bodies(*texts)).spec.fields}


CUSTODY = """<rec xmlns="urn:nspis:custody" xmlns:p="urn:person" ver="2">
  <no>1</no><p:name>x</p:name><p:name>y</p:name><log><entry code="1">a</entry></log></rec>"""


def test_xml_gives_paths_with_every_namespace_declared() -> None:
    """A default namespace gets a prefix; what is there twice is many; attributes count."""
    found = described(SOURCE, bodies(CUSTODY, CUSTODY))
    prefixes = dict(found.spec.namespaces)
    assert sorted(prefixes.values()) == ["urn:nspis:custody", "urn:person"]
    (own,) = (prefix for prefix, uri in prefixes.items() if uri == "urn:nspis:custody")
    fields = {field.name: (field.select, field.many) for field in found.spec.fields}
    assert fields == {
        "ver": (f"/{own}:rec/@ver", False),
        "no": (f"/{own}:rec/{own}:no", False),
        "name": (f"/{own}:rec/p:name", True),
        "code": (f"/{own}:rec/{own}:log/{own}:entry/@code", False),
        "entry": (f"/{own}:rec/{own}:log/{own}:entry", False),
    }
    assert found.counts == (2,) * 5


def test_json_gives_pointers_into_objects_and_through_arrays() -> None:
    """Members of the elements of an array, and arrays of plain values, are many."""
    body = json.dumps({"id": 1, "officer": {"id": 2}, "seen": [{"vrm": "x"}], "tags": ["a", "b"]})
    found = described(SOURCE, bodies(body, body))
    fields = {field.name: (field.select, field.many) for field in found.spec.fields}
    assert fields == {
        "id": ("/id", False),
        "officer_id": ("/officer/id", False),
        "vrm": ("/seen/vrm", True),
        "tags": ("/tags", True),
    }


def test_the_commonest_format_is_proposed_and_the_others_are_said() -> None:
    """A table with several formats asks to be split."""
    found = described(SOURCE, bodies("<a><b/></a>", "<a><b/></a>", '{"a": 1}', "", b"\xff\xfe\xfd"))
    assert found.spec.format == "xml"
    assert "2 XML, 1 JSON, 1 empty, 1 not readable" in " ".join(found.notes)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", "empty"),
        (b" \r\n", "empty"),
        (b"\xac\xed\x00\x05t\x00\x01x", "java"),
        ('<?xml version="1.0" encoding="UTF-16"?><a/>'.encode("utf-16"), "xml"),
        (b"<a>", "text"),
        (b'{"a":', "text"),
        (b"UNA:+.? 'UNB+UNOA:1+A+B'", "edi"),
        (b"ISA*00*          *00*", "edi"),
        (b"plain words", "text"),
        (bytes(range(256)), "opaque"),
    ],
)
def test_a_body_is_told_by_what_it_is(data: bytes, name: str) -> None:
    """What begins like XML or JSON and does not parse is a text."""
    assert format_of(Body(data)) == name


@given(st.binary(max_size=200), st.sampled_from(["bytes", "text", "row", "null"]))
def test_any_bytes_have_a_format(data: bytes, kind: str) -> None:
    """Nothing that a store can hold stops a proposal."""
    body = Body(data, kind)
    assert format_of(body) in ("empty", "java", "row", "xml", "json", "edi", "text", "opaque")
    assert described(SOURCE, [body]).sampled == 1


MEMBERS = st.sampled_from(["id", "name", "Select", "at", "a b", "body", "no/1", "~x", "é", "12"])
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(MEMBERS, inner, max_size=4),
    max_leaves=12,
)


@given(
    st.lists(st.dictionaries(MEMBERS, DOCUMENTS, min_size=1, max_size=4), min_size=1, max_size=6)
)
def test_json_fields_read_the_bodies_they_come_from(documents: list[dict[str, Any]]) -> None:
    """Each body is read, and each field is in as many bodies as was said."""
    texts = [Body(json.dumps(document).encode()) for document in documents]
    found = described(SOURCE, texts)
    reader = payload_reader(found.spec)
    counts: Counter[str] = Counter()
    for body in texts:
        _, kinds = reader.read(body)
        counts.update(
            f.name for f, kind in zip(found.spec.fields, kinds, strict=True) if kind != ABSENT
        )
    for field, number in zip(found.spec.fields, found.counts, strict=True):
        # An object or a scalar can stand at one place in turn; the field is there in both.
        assert counts[field.name] >= number


ELEMENTS = st.recursive(
    st.just(""),
    lambda inner: st.lists(
        st.tuples(st.sampled_from(["a", "b", "p:c", "select"]), inner), min_size=1, max_size=3
    ).map(lambda parts: "".join(f"<{name} k='1'>{inside}</{name}>" for name, inside in parts)),
    max_leaves=8,
)


@given(st.lists(ELEMENTS, min_size=1, max_size=5))
def test_xml_fields_read_the_bodies_they_come_from(insides: list[str]) -> None:
    """No field is ambiguous in a body of the sample, and each is in as many as was said."""
    texts = [Body(f"<r xmlns='urn:r' xmlns:p='urn:p'>{inside}</r>".encode()) for inside in insides]
    found = described(SOURCE, texts)
    reader = payload_reader(found.spec)
    counts: Counter[str] = Counter()
    for body in texts:
        _, kinds = reader.read(body)
        counts.update(
            f.name for f, kind in zip(found.spec.fields, kinds, strict=True) if kind != ABSENT
        )
    for field, number in zip(found.spec.fields, found.counts, strict=True):
        assert counts[field.name] >= number


def test_csv_gives_its_columns_but_for_names_that_stand_twice() -> None:
    """The header record decides; a field nobody could tell apart is none."""
    source = SourceSpec("flow", "store", "*.csv", record=RecordSpec("csv"))
    header = (("csv-header", 'Type,"Part, of it",Date,Date,'),)
    found = described(source, [Body(b"1,2,3,4,5", "bytes", None, header)] * 3)
    assert {field.name: field.select for field in found.spec.fields} == {
        "type": "Type",
        "part_of_it": "Part, of it",
    }


@given(st.lists(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=4), max_size=12))
def test_names_are_distinct_and_sql_takes_them_unquoted(paths: list[list[str]]) -> None:
    """Whatever members are called; none is a name that rules and mappings already have."""
    names = field_names(paths)
    assert len({name.lower() for name in names}) == len(paths)
    assert not RESERVED_COLUMNS & set(names)
    assert all(not name.startswith("_") and not name.endswith("__kind") for name in names)
    if names:
        columns = ", ".join(f"1 AS {name}" for name in names)
        with duckdb.connect() as connection:
            connection.execute(f"SELECT m.{', m.'.join(names)} FROM (SELECT {columns}) AS m")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("custodyNo", "custody_no"),
        ("select", "payload_select"),
        ("body", "payload_body"),
        ("2nd", "field_2nd"),
        ("Größe", "gr_e"),
        ("%", "field"),
    ],
)
def test_names_stay_readable(text: str, name: str) -> None:
    """Lower case with underlines."""
    assert identifier(text) == name


@given(st.text(max_size=80), st.lists(st.text(max_size=5)))
def test_flows_have_names_that_a_plan_takes(text: str, others: list[str]) -> None:
    """And not one that is taken."""
    import re

    taken = [plain_name(other) for other in others]
    name = plain_name(text, taken)
    assert re.fullmatch("[a-z][a-z0-9_-]*", name) and name not in taken


@given(st.integers(0, 400), st.integers(1, 12))
def test_a_sample_is_spread_bounded_and_in_order(records: int, count: int) -> None:
    """From the first record on, no more than asked, from up to ten times as many."""
    read: list[int] = []

    def each() -> Any:
        for number in range(records):
            read.append(number)
            yield number

    kept = spread(each(), count, lambda _: 1)
    assert kept == sorted(kept) and len(kept) <= count
    assert len(read) <= count * 10
    assert kept[:1] == list(range(records))[:1]
    assert len(kept) >= min(records, (count + 1) // 2)
