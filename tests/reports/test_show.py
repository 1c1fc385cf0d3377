"""How values look: nothing hostile acts, numbers are grouped, one is singular."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.page import tone
from reports.show import THIN, clipped, counted, grouped, listed, moment, visible

ANY_TEXT = st.text(st.characters(codec=None))
"""Any code point, lone surrogates included."""


@given(ANY_TEXT)
def test_what_is_shown_is_printable(text: str) -> None:
    """No control, direction, separator or unassigned character is left, in any text."""
    shown = visible(text)
    assert shown.replace(THIN, "").isprintable()
    assert visible(shown) == shown


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1))
def test_what_can_be_printed_stays_as_it_is(text: str) -> None:
    """Letters of any script are no attack."""
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x00b", r"a\u{0}b"),
        ("\u202egpj", r"\u{202e}gpj"),
        ("a\nb", r"a\u{a}b"),
        ("\udcff", r"\u{dcff}"),
    ],
)
def test_hostile_characters_stand_as_code_points(text: str, shown: str) -> None:
    """So that somebody can look up what was there."""
    assert visible(text) == shown


@given(st.integers(0, 10**15))
def test_grouping_loses_no_digit(number: int) -> None:
    """Groups of three from the right."""
    text = grouped(number)
    assert int(text.replace(THIN, "")) == number
    assert all(len(group) == 3 for group in text.split(THIN)[1:])


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 findings"), (1, "1 finding"), (1204, f"1{THIN}204 findings")]
)
def test_one_is_singular(number: int, text: str) -> None:
    """And nothing else is."""
    assert counted(number, "finding") == text


def test_an_irregular_plural_is_given() -> None:
    """Deliveries, not deliverys."""
    assert counted(2, "delivery", "deliveries") == "2 deliveries"


@pytest.mark.parametrize(
    ("parts", "text"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (list("abc"), "a, b and c")],
)
def test_a_list_reads_as_a_sentence_does(parts: list[str], text: str) -> None:
    """Commas, and an `and` before the last."""
    assert listed(parts) == text


def test_a_long_text_is_cut_visibly() -> None:
    """With how long it really is."""
    assert clipped("x" * 300, 10) == f"{'x' * 10}… (300 characters)"
    assert clipped("x" * 10, 10) == "x" * 10


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-03-01T22:00:03.120400Z", "2026-03-01 22:00:03 UTC"),
        ("2026-03-01T22:00:03+00:00", "2026-03-01 22:00:03 UTC"),
        ("2026-03-01T22:00:03+01:00", "2026-03-01T22:00:03+01:00"),
        (None, "\u2013"),
    ],
)
def test_instants_are_read_in_utc(text: str | None, shown: str) -> None:
    """Another offset is left as it is written."""
    assert moment(text) == shown


def test_an_unknown_state_is_in_doubt() -> None:
    """Never coloured as a pass."""
    assert [tone(word) for word in ("agrees", "differs", "unverified", "whatever")] == [
        "good",
        "bad",
        "doubt",
        "doubt",
    ]
