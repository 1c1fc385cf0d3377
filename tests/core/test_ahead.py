"""One step ahead: the same items, made a little earlier, and nothing else."""

import gc
from collections.abc import Iterator
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.core.ahead import ahead


@given(st.lists(st.integers()))
def test_the_items_are_the_same_in_the_same_order(items: list[int]) -> None:
    """Whatever they are, none included."""
    assert list(ahead(items)) == items


def test_one_item_is_made_while_the_one_before_is_used() -> None:
    """And no more than one: the third waits for the second to be asked for."""
    made = [Event(), Event(), Event()]

    def making() -> Iterator[int]:
        for number, event in enumerate(made):
            event.set()
            yield number

    items = ahead(making())
    assert next(items) == 0
    assert made[1].wait(30)
    assert not made[2].is_set()
    assert list(items) == [1, 2]


def test_an_error_comes_where_its_item_would_have_come() -> None:
    """What was made before it is not lost."""

    def failing() -> Iterator[int]:
        yield 1
        raise KeyError("two")

    items = ahead(failing())
    assert next(items) == 1
    with pytest.raises(KeyError, match="two"):
        next(items)


@pytest.mark.parametrize("how", ["closed", "forgotten"])
def test_leaving_early_closes_what_makes_the_items(how: str) -> None:
    """A connection behind it is given back, even by the garbage collector in a cycle."""
    closed = Event()

    def making() -> Iterator[int]:
        try:
            yield from range(1000)
        finally:
            closed.set()

    items = ahead(making())
    assert next(items) == 0
    if how == "closed":
        items.close()
    else:
        cycle: list[object] = [items]
        cycle.append(cycle)
        del items, cycle
        gc.collect()
    assert closed.is_set()
