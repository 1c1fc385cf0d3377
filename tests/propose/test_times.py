"""What the texts of a time column mean is guessed from them, and a wrong guess is no guess."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.sql.recognise.times import guess
from migrate.core.clock import instant

CASES = [
    ("put", ["1522540800000", "1522540800001"], "epoch_ms"),
    ("put", ["1522540800", "0"], "epoch_s"),
    ("put", ["2018-04-01T00:00:00Z", "2018-04-01T01:00:00+01:00"], "offset"),
    ("put", ["2018-04-01 00:00:00+00"], "offset"),
    ("put_utc", ["2018-04-01 00:00:00"], "utc"),
    ("put_local", ["2018-04-01 00:00:00", "9999-12-31", None, ""], "local"),
    ("put", ["2018-04-01"], "local"),
]


@pytest.mark.parametrize(("name", "texts", "kind"), CASES)
def test_a_kind_of_time_is_told_by_its_texts(name: str, texts: list[str | None], kind: str) -> None:
    """Numbers by their size, offsets by being there, the rest by the column's name."""
    found = guess(name, texts)
    assert found.spec is not None and found.spec.kind == kind
    assert found.read == found.asked


@pytest.mark.parametrize("texts", [["01/04/2018"], ["soon", "later"], ["2018-04-01", "x", "y"]])
def test_texts_that_are_no_times_are_not_called_times(texts: list[str]) -> None:
    """The column is left out, and the plan says why."""
    assert guess("created", texts).spec is None


def test_without_a_text_the_type_decides() -> None:
    """A number is milliseconds, a text a wall clock; the remark says that it is a guess."""
    numbers, texts = guess("expires", [None], number=True), guess("expires", [])
    assert numbers.spec is not None and numbers.spec.kind == "epoch_ms"
    assert texts.spec is not None and texts.spec.kind == "local"
    assert texts.remark.startswith("GUESS")


@given(
    st.lists(st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1)), min_size=1, max_size=20),
    st.sampled_from(["epoch_ms", "epoch_s", "offset"]),
)
def test_a_guess_reads_the_instants_that_were_written(times: list[datetime], kind: str) -> None:
    """Whatever the instants: the guessed kind gives them back, to what was written of them."""
    moments = [moment.replace(tzinfo=UTC, microsecond=0) for moment in times]
    write = {
        "epoch_ms": lambda moment: str(int(moment.timestamp() * 1000)),
        "epoch_s": lambda moment: str(int(moment.timestamp())),
        "offset": lambda moment: (moment + timedelta(hours=1)).isoformat(" ")[:19] + "+01:00",
    }[kind]
    texts = [write(moment) for moment in moments]
    found = guess("created", texts)
    assert found.spec is not None
    assert [instant(text, found.spec) for text in texts] == moments
