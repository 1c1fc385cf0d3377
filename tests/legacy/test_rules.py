"""Single rules: patterns of words and names, what is refused, and how values are read."""

import json
import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.legacy.activemq import read_configuration
from migrate.legacy.bindings import fits
from migrate.legacy.destinations import name_fits
from migrate.legacy.errors import BadRules
from migrate.legacy.rabbitmq import read_definitions
from migrate.legacy.selector import SelectorError, parse
from migrate.legacy.tables import RuleColumns, read_rules
from migrate.legacy.values import Number, Opaque, number_of, text_of, value_of

words = st.lists(st.sampled_from(["a", "b", ""]), max_size=5)
patterns = st.lists(st.sampled_from(["a", "b", "*", "#"]), max_size=5)


@given(patterns, words)
def test_words_fit_a_pattern_as_the_expression_says(pattern: list[str], found: list[str]) -> None:
    """`*` is one word, `#` any number: each word and its end are matched one by one."""
    parts = {"*": "[ab]?;", "#": "(?:[ab]?;)*"}
    expression = "".join(parts.get(word, f"{word};") for word in pattern)
    text = "".join(f"{word};" for word in found)
    assert fits(pattern, found) == (re.fullmatch(expression, text) is not None)


def test_a_pattern_of_many_hashes_is_no_trap() -> None:
    """Time is linear in the product of the two lengths."""
    assert not fits(["#", "a"] * 50 + ["b"], ["a"] * 500)


@given(st.lists(st.sampled_from(["A", "B", "*"]), min_size=1), words.filter(bool))
def test_names_fit_a_pattern_by_their_elements(pattern: list[str], found: list[str]) -> None:
    """As many elements, each the same or any; with `>` at the end, at least as many."""
    names = [word.upper() for word in found]
    same = all(one in ("*", other) for one, other in zip(pattern, names, strict=False))
    exact, open_ = ".".join(pattern), ".".join([*pattern, ">"])
    assert name_fits(exact, ".".join(names)) == (same and len(pattern) == len(names))
    assert name_fits(open_, ".".join(names)) == (same and len(pattern) <= len(names))


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("int", "5", Number("int", 5)),
        ("integer", "5", Number("long", 5)),
        ("double", "1.5", Number("double", 1.5)),
        ("boolean", "true", True),
        ("text", "5", "5"),
        ("char", "x", Opaque("char", "x")),
        ("int", "five", "five"),
        ("int", None, None),
    ],
)
def test_a_header_is_read_by_its_type(kind: str, text: str | None, value: object) -> None:
    assert value_of(kind, text) == value


def test_values_have_a_text_and_maybe_a_number() -> None:
    assert [text_of(value) for value in (None, True, "x", Number("int", 5))] == [
        *(None, "true", "x", "5")
    ]
    found = [number_of(value) for value in ("5", "5.0", Number("double", float("nan")), True, "x")]
    assert found == [5, 5, None, None, None]


@pytest.mark.parametrize(
    ("selector", "said"),
    [
        ("", "ends too soon"),
        ("a = ", "ends too soon"),
        ("a = 1 b", "character 7"),
        ("a ? 1", "character 3 begins no word"),
        ("a + 1", "a value stands where a condition is wanted"),
        ("a = NULL", "IS NULL"),
        ("a > 'x'", "only numbers"),
        ("(a = 1) > 2", "a condition cannot be compared"),
        ("a LIKE 'x' ESCAPE 'ab'", "exactly one character"),
        ("1 IN ('x')", "IN needs a name"),
        ("a NOT b", "LIKE, BETWEEN or IN"),
        ("XPATH '//a'", "XPATH looks into bodies"),
        ("(" * 300 + "a" + ")" * 300, "nested more than"),
        ("NOT " * 300 + "a", "nested more than"),
    ],
)
def test_a_selector_that_is_refused_says_why(selector: str, said: str) -> None:
    with pytest.raises(SelectorError, match=re.escape(said)):
        parse(selector)


def table(**columns: list[str | None]) -> pa.Table:
    return pa.table({name: pa.array(cells, pa.string()) for name, cells in columns.items()})


@pytest.mark.parametrize(
    ("rules", "columns", "said"),
    [
        (table(to=["A"]), RuleColumns("endpoint"), 'no column "endpoint"'),
        (table(to=[None]), RuleColumns("to"), "row 1"),
        (table(to=["A"], on=["maybe"]), RuleColumns("to", enabled="on"), "neither yes nor no"),
        (table(to=["A"], n=["x"]), RuleColumns("to", order="n"), "no whole number"),
        (table(to=["A"], n=["x"]), RuleColumns("to", least=(("p", "n"),)), "is no number"),
        (table(to=["A"], s=["a ="]), RuleColumns("to", selector="s"), "is no selector"),
        (table(to=["A"], p=["HIGH"]), RuleColumns("to", lane="p"), "stands for no lane"),
    ],
)
def test_a_bad_table_of_rules_names_row_and_column(
    rules: pa.Table, columns: RuleColumns, said: str
) -> None:
    with pytest.raises(BadRules) as caught:
        read_rules(rules, columns)
    assert said in f"{caught.value.place}: {caught.value.message}"


GOOD = {"queues": [{"name": "q"}], "exchanges": [{"name": "x", "type": "topic"}], "bindings": []}
BINDING = {"source": "x", "destination": "q", "destination_type": "queue"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"bindings": None}, "no export of definitions"),
        ({"queues": [{}]}, "has no name"),
        ({"bindings": [{**BINDING, "source": "y"}]}, 'no exchange "y"'),
        ({"bindings": [{**BINDING, "destination": "y"}]}, 'no queue "y"'),
        (
            {"exchanges": [{"name": "x", "type": "x-consistent-hash"}], "bindings": [BINDING]},
            "exchange of type x-consistent-hash",
        ),
        (
            {
                "exchanges": [{"name": "x", "type": "headers"}],
                "bindings": [{**BINDING, "arguments": {"x-match": "some"}}],
            },
            "neither all nor any",
        ),
    ],
)
def test_bad_definitions_name_their_place(changed: dict[str, object], said: str) -> None:
    with pytest.raises(BadRules) as caught:
        read_definitions(json.dumps({**GOOD, **changed}), "/")
    assert said in caught.value.message


def broker(inside: str, attributes: str = "") -> bytes:
    return f'<beans><broker xmlns="urn:a"{attributes}>{inside}</broker></beans>'.encode()


def virtual(inside: str) -> bytes:
    return broker(f"<destinationInterceptors>{inside}</destinationInterceptors>")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"<broker", "is no XML (line 1)"),
        (b"<beans/>", "has no <broker>"),
        (virtual('<virtualTopic name="a" selectorAware="true"/>'), "selectorAware"),
        (virtual('<mirroredQueue copyMessage="true"/>'), "mirrors every queue"),
        (virtual("<compositeQueue/>"), "has no name"),
        (
            virtual(
                '<compositeQueue name="a"><forwardTo><filteredDestination queue="b" '
                'selector="x ="/></forwardTo></compositeQueue>'
            ),
            "its selector is none",
        ),
    ],
)
def test_a_configuration_that_leaves_routing_open_is_refused(text: bytes, said: str) -> None:
    with pytest.raises(BadRules) as caught:
        read_configuration(text)
    assert said in caught.value.message


def test_a_broker_without_interceptors_has_the_default_virtual_topics() -> None:
    """Unless it says that it has none."""
    sent = {"JMSDestination": "topic://VirtualTopic.X"}
    queues = ["Consumer.a.VirtualTopic.X"]
    found = read_configuration(broker(""), queues).reached(sent)
    assert [reached.endpoint for reached in found] == ["queue://Consumer.a.VirtualTopic.X"]
    assert not read_configuration(broker("", ' useVirtualTopics="false"'), queues).reached(sent)


def test_a_doctype_of_a_configuration_is_not_followed(tmp_path: object) -> None:
    """No entity is expanded and no file read."""
    text = b'<!DOCTYPE b [<!ENTITY e SYSTEM "file:///etc/passwd">]><broker>&e;</broker>'
    assert read_configuration(text).endpoints == ()
