"""Selectors say of every message what ActiveMQ says: the product itself is asked."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from migrate.legacy.selector import SelectorError, parse
from migrate.legacy.values import Message, Number, Value
from tests.legacy.selector_oracle import oracle

NAMES = ("a", "b", "c")
TEXTS = ("", "x", "xy", "a%b", "a_b", "1", "it's", "x\ny", "é")
NUMBERS = ("0", "1", "2", "017", "0x1F", "2147483648", "9223372036854775808", "1.5", "5.", ".5e1")


def ours(selector: str, message: Message) -> str:
    try:
        found = parse(selector)
    except SelectorError:
        return "refused"
    try:
        return str(found.holds(message)).lower()
    except SelectorError:
        return "failed"


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


names = st.sampled_from(NAMES)
texts = st.sampled_from(TEXTS).map(quoted)
literals = st.one_of(st.sampled_from(NUMBERS), texts, st.sampled_from(["TRUE", "false", "NULL"]))


def joined(*parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map(" ".join)


def words(*choices: str) -> st.SearchStrategy[str]:
    return st.sampled_from(choices)


def deeper(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        joined(inner, words("+", "-", "*", "/", "%"), inner),
        joined(inner, words("=", "<>", "<", "<=", ">", ">="), inner),
        joined(inner, words("AND", "or"), inner),
        joined(words("NOT", "-", "+"), inner),
        joined(inner, words("IS NULL", "is not null")),
        joined(inner, words("BETWEEN", "NOT BETWEEN"), inner, words("AND"), inner),
        joined(inner, words("LIKE", "NOT LIKE"), texts),
        joined(inner, words("LIKE"), texts, words("ESCAPE"), words("'\\'", "'%'", "'x'", "''")),
        joined(names, words("IN (", "NOT IN ("), texts, words(","), texts, words(")")),
        inner.map(lambda text: f"({text})"),
    )


selectors = st.recursive(st.one_of(names, literals), deeper, max_leaves=6)
scraps = st.lists(
    st.one_of(selectors, words("AND", "(", ")", "=", "NOT", "--", "/* c */", "-- c\n", "§")),
    max_size=4,
).map(" ".join)
floats = st.sampled_from([0.0, -0.0, 1.0, 1.5, 0.1, 1e10, float("inf"), float("nan")])
singles = st.sampled_from([0.0, -0.0, 1.0, 1.5, 0.10000000149011612, float("inf")])
values: st.SearchStrategy[Value] = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(TEXTS),
    st.tuples(words("byte", "short", "int", "long"), st.integers(-2, 40)).map(lambda v: Number(*v)),
    st.sampled_from([Number("int", 2**31 - 1), Number("long", 2**63 - 1), Number("long", 31)]),
    floats.map(lambda value: Number("double", value)),
    singles.map(lambda value: Number("float", value)),
)
messages = st.dictionaries(names, values, max_size=3)


@settings(max_examples=600, deadline=None)
@given(selector=st.one_of(selectors, scraps), message=messages)
@example(selector="NOT a = 1", message={"a": True})
@example(selector="a <> 'x'", message={})
@example(selector="NOT ('x' = a)", message={})
@example(selector="a = b", message={})
@example(selector="a = 1 nonsense", message={"a": Number("int", 1)})
@example(selector="a + 2147483647 < 0", message={"a": Number("int", 1)})
@example(selector="1 = a", message={"a": Number("byte", 1)})
def test_a_selector_says_what_the_product_says(selector: str, message: dict[str, Value]) -> None:
    """True, false, failed or refused, for any text and any message."""
    assert ours(selector, message) == oracle().ask(selector, message)
