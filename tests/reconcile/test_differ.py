"""Differences name a field and show no value; equal content is at most written otherwise."""

import json
from typing import Any

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from reconcile.differ import (
    ABSENT,
    REPRESENTATION,
    attribute_differences,
    body_differences,
    json_differences,
    parse,
)
from tests.reconcile.synthetic import hide

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
)
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=12,
)


def fields(ours: bytes | None, theirs: bytes | None) -> list[str]:
    return [d.field for d in body_differences(ours, theirs, hide, frozenset({"a"}))]


@given(documents, st.sampled_from([None, 1, 4]), st.booleans())
def test_writing_a_document_otherwise_changes_no_content(
    document: Any, indent: int | None, escaped: bool
) -> None:
    """White space, escapes and member order are representation, as in RFC 8785."""
    ours = json.dumps(document).encode()
    shuffled = json.loads(ours, object_pairs_hook=lambda pairs: dict(reversed(pairs)))
    theirs = json.dumps(shuffled, indent=indent, ensure_ascii=escaped).encode(
        "utf-8", "surrogatepass"
    )
    expected = [] if ours == theirs else [REPRESENTATION]
    assert fields(ours, theirs) == expected


@given(documents, documents)
def test_documents_without_a_difference_have_one_canonical_form(one: Any, other: Any) -> None:
    """Ours is RFC 8785 made stricter: equal here is equal there."""
    a, b = json.dumps(one).encode(), json.dumps(other).encode()
    if not list(json_differences(parse(a), parse(b))):
        assert rfc8785.dumps(json.loads(a)) == rfc8785.dumps(json.loads(b))
    else:
        assert json.loads(a) != json.loads(b) or _types(json.loads(a)) != _types(json.loads(b))


def _types(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _types(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_types(inner) for inner in value]
    return isinstance(value, bool)


def test_digits_beyond_a_double_are_content() -> None:
    """RFC 8785 alone would round both to one."""
    assert fields(b'{"n":9007199254740993}', b'{"n":9007199254740992}') == ["body:/n"]
    assert fields(b'{"n":12345678901234567890.123}', b'{"n":12345678901234567890.1}') == ["body:/n"]
    assert fields(b'{"n":1.10}', b'{"n":1.1}') == [REPRESENTATION]
    assert fields(b'{"n":1e400}', b'{"n":10e399}') == [REPRESENTATION]
    huge = b'{"n":1e99999999999999999999}'
    assert fields(huge, huge.replace(b"{", b"{ ")) == [REPRESENTATION]


def test_null_absent_and_empty_are_three_things() -> None:
    """And none of them is zero or false."""
    texts = [b'{"a":null}', b"{}", b'{"a":""}', b'{"a":0}', b'{"a":false}', b'{"a":{}}']
    for one in texts:
        for other in texts:
            assert fields(one, other) == ([] if one == other else ["body:/a"])


def test_pointers_are_escaped() -> None:
    """RFC 6901."""
    assert fields(b'{"a/b":{"~":1}}', b'{"a/b":{"~":2}}') == ["body:/a~1b/~0"]


def test_bottomless_nesting_is_one_difference_of_the_body() -> None:
    """No depth breaks the comparison."""
    for depth in (400, 700, 900, 1000, 100_000):
        deep = b"[" * depth + b"1" + b"]" * depth
        other = b"[" * depth + b"2" + b"]" * depth
        found = fields(deep, other)
        assert len(found) == 1
        assert found[0].startswith("body")


@given(st.binary(max_size=20), st.binary(max_size=20))
def test_any_bytes_can_be_compared(ours: bytes, theirs: bytes) -> None:
    """Something differs exactly when the bytes do."""
    assert bool(fields(ours, theirs)) == (ours != theirs)


def test_a_missing_body_is_not_an_empty_one() -> None:
    """Null on the bus is told from no bytes."""
    [difference] = body_differences(b"", None, hide)
    assert (difference.field, difference.observed) == ("body", "absent")


@given(st.dictionaries(st.text(min_size=1, max_size=5), documents, max_size=5))
def test_no_value_is_shown(attributes: dict[str, Any]) -> None:
    """Only names, absence and hashes of 16 digits."""
    observed = parse(json.dumps(attributes))
    for difference in attribute_differences({}, observed, hide):
        assert difference.expected == "absent"
        assert len(difference.observed) == 16
        int(difference.observed, 16)


def test_what_is_no_json() -> None:
    """Nothing that two parsers might read in two ways counts as JSON."""
    for text in (b'{"a":1,"a":1}', b"NaN", b"[Infinity]", b"\xef\xbb\xbf{}", b"", b"{} {}"):
        assert parse(text) is ABSENT
