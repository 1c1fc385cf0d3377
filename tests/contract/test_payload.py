"""What every payload format must do: whatever the bytes, fields or a classified refusal."""

import json
from collections.abc import Iterator
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrate.core.errors import PlanError
from migrate.core.flow import FieldSpec, PayloadSpec
from migrate.core.reasons import Reason
from migrate.transform.payload import PAYLOADS, payload_reader
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
    PayloadReader,
    Refused,
)
from tests.shared_data import shared_data

KINDS = {ABSENT, NULL, EMPTY, STRING, NUMBER, BOOLEAN, OBJECT, ARRAY, TEXT}
SELECTORS = {
    "xml": ("/*", "/*/@*", "//*", "/r/a"),
    "json": ("", "/a", "/a/0/b"),
    "csv": ("a", "b"),
    "fixed": ("0:4", "4:9"),
    "row": ("a", "b"),
    "java": ("class",),
    "text": (".",),
    "opaque": (),
}
HEADERS = (("csv-header", "a,b"), ("xmlns:p", "urn:p"), ("x", None))
CHARSETS = (None, "utf-8", "windows-1252", "utf-16", "idna", "zip", "\0")
HOSTILE = {
    "nothing": b"",
    "nul": b"\0" * 1000,
    "every byte": bytes(range(256)),
    "deep xml": b"<a>" * 2000 + b"</a>" * 2000,
    "deep and open xml": b"<a>" * 100_000,
    "deep attributes": b"<a " + b" ".join(b'x%d="1"' % n for n in range(20_000)) + b"/>",
    "wide xml": b"<r>" + b"<a/>" * 100_000 + b"</r>",
    "laughs": b'<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><l>&b;</l>',
    "external entity": b'<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><l>&a;</l>',
    "open comment": b"<!--" * 50_000,
    "open instruction": b"<?" * 50_000,
    "open tag": b"<a " + b"b='" * 50_000,
    "long text": b"<r>" + b"x" * 5_000_000 + b"</r>",
    "deep json": b"[" * 2000 + b"]" * 2000,
    "deep and open json": b'{"a":' * 100_000,
    "wide json": b"[" + b"1," * 100_000 + b"1]",
    "long number": b"9" * 200_000,
    "long fraction": b"0." + b"9" * 200_000,
    "long exponent": b"1e" + b"9" * 10_000,
    "open string": b'"' + b"\\" * 100_001,
    "quotes": b'"' * 100_001,
    "quoted newlines": b'"\r\n' * 50_000,
    "delimiters": b"," * 100_000,
    "lone surrogates": b'{"a":"\\ud800\\udfff\\udfff"}',
    "long java class": b"\xac\xed\x00\x05sr\xff\xff" + b"a" * 70_000,
    "open java class": b"\xac\xed\x00\x05sr\xff\xff" + b"a",
    "java blocks": b"\xac\xed\x00\x05" + b"w\x00" * 200_000,
    "java resets": b"\xac\xed\x00\x05" + b"y" * 500_000,
    "overlong utf-8": b"\xc0\xaf\xed\xa0\x80\xf5\x80\x80\x80",
}


def fields(format_: str) -> tuple[FieldSpec, ...]:
    many = (False, True) if format_ in ("xml", "json") else (False,)
    return tuple(
        FieldSpec(f"f{number}", select, many=all_)
        for number, (select, all_) in enumerate(product(SELECTORS[format_], many))
    )


def reader(format_: str) -> PayloadReader:
    return payload_reader(PayloadSpec(format_, fields(format_)))


def check(one: PayloadReader, count: int, body: Body) -> None:
    """Fields of the right shape, the same every time, or a refusal that names a known reason."""
    try:
        values, kinds = one.read(body)
    except Refused as refused:
        assert refused.reason in Reason
        assert refused.place is None or refused.place.isprintable()
        return
    assert (values, kinds) == one.read(body)
    assert len(values) == len(kinds) == count
    assert set(kinds) <= KINDS
    for value, kind in zip(values, kinds, strict=True):
        check_value(value, kind)


def check_value(value: object, kind: str) -> None:
    if isinstance(value, list):
        assert all(each is None or isinstance(each, str) for each in value)
    else:
        assert value is None or isinstance(value, str)
    assert (value is None) == (kind in (ABSENT, NULL))
    if isinstance(value, str):
        value.encode()  # nothing that is no Unicode text gets this far
        assert (value == "") == (kind == EMPTY)


def nasty() -> Iterator[tuple[str, bytes]]:
    for path in sorted(shared_data("nasty").rglob("*")):
        if path.is_file():
            yield path.name, path.read_bytes()


@pytest.fixture(params=sorted(PAYLOADS))
def format_(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_format_is_tried_here() -> None:
    assert set(SELECTORS) == set(PAYLOADS)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bodies_are_fields_or_refused(format_: str, name: str) -> None:
    one = reader(format_)
    for charset in (None, "windows-1252"):
        check(one, len(fields(format_)), Body(HOSTILE[name], "bytes", charset, HEADERS))


def test_public_collections_of_hostile_files_are_fields_or_refused(format_: str) -> None:
    one = reader(format_)
    for _, data in nasty():
        check(one, len(fields(format_)), Body(data, "bytes", None, HEADERS))


def test_naughty_strings_are_fields_or_refused(format_: str) -> None:
    """As bodies, and as values of a well-formed body."""
    one = reader(format_)
    texts = json.loads((shared_data("nasty") / "blns.json").read_text(encoding="utf-8"))
    for text in texts:
        for shape in ("{}", '{{"a":{}}}', '"{}","x"'):
            inner = json.dumps(text) if "a" in shape else text
            body = Body(shape.format(inner).encode(), "text", None, HEADERS)
            check(one, len(fields(format_)), body)


@settings(deadline=None)
@given(
    data=st.binary(max_size=60),
    kind=st.sampled_from(["bytes", "text", "row", "null", None]),
    charset=st.sampled_from(CHARSETS),
)
@pytest.mark.parametrize("name", sorted(PAYLOADS))
def test_any_bytes_are_fields_or_refused(
    name: str, data: bytes, kind: str | None, charset: str | None
) -> None:
    check(reader(name), len(fields(name)), Body(data, kind, charset, HEADERS))


@settings(deadline=None)
@given(st.text("<>/=\"'&;![]-?{}:,\\ \n\r\tabx\x00é𝄞0123.eE+-", max_size=40))
@pytest.mark.parametrize("name", sorted(PAYLOADS))
def test_any_punctuation_is_fields_or_refused(name: str, text: str) -> None:
    check(reader(name), len(fields(name)), Body(text.encode(), "text", None, HEADERS))


def test_no_bytes_are_refused_as_empty_where_fields_are_wanted(format_: str) -> None:
    for data in (None, b""):
        try:
            reader(format_).read(Body(data, "bytes", None, HEADERS))
        except Refused as refused:
            assert refused.reason is Reason.PAYLOAD_EMPTY
        else:
            assert format_ == "opaque"


def test_more_bytes_than_the_plan_allows_are_refused(format_: str) -> None:
    one = payload_reader(PayloadSpec(format_, fields(format_), max_bytes=10))
    if format_ == "opaque":
        assert one.read(Body(b"x" * 11)) == ([], [])
        return
    with pytest.raises(Refused) as refused:
        one.read(Body(b"x" * 11))
    assert refused.value.reason is Reason.PAYLOAD_TOO_LARGE


BAD_SELECTORS = [
    ("xml", "/c:rec"),
    ("xml", "/rec["),
    ("xml", "nosuch(/rec)"),
    ("json", "a/b"),
    ("json", "/a~2"),
    ("fixed", "4"),
    ("fixed", "4:4"),
    ("fixed", "-1:4"),
    ("text", "/a"),
    ("java", "/a"),
    ("opaque", "x"),
]


@pytest.mark.parametrize(("name", "select"), BAD_SELECTORS)
def test_a_selector_that_cannot_be_followed_is_refused_when_the_plan_is_read(
    name: str, select: str
) -> None:
    with pytest.raises(PlanError) as refused:
        payload_reader(PayloadSpec(name, (FieldSpec("no", select),)))
    assert refused.value.key == "no"


@pytest.mark.parametrize("name", ["csv", "fixed", "row", "java", "text"])
def test_formats_without_lists_refuse_many(name: str) -> None:
    select = SELECTORS[name][0]
    with pytest.raises(PlanError):
        payload_reader(PayloadSpec(name, (FieldSpec("no", select, many=True),)))


@pytest.mark.parametrize("name", ["xml", "json"])
def test_a_depth_that_the_parser_does_not_reach_is_refused_when_the_plan_is_read(name: str) -> None:
    with pytest.raises(PlanError):
        payload_reader(PayloadSpec(name, max_depth=10_000))
