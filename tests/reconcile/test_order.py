"""Disorder is what lies outside a longest increasing subsequence, by order key and lane."""

from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconcile.disorder import out_of_order
from tests.reconcile.synthetic import Copy, Scene, findings_of, ids, replayed


def longest(numbers: list[int]) -> int:
    """The length of a longest subsequence that never falls, by trying them all."""
    for size in range(len(numbers), 0, -1):
        for some in combinations(numbers, size):
            if list(some) == sorted(some):
                return size
    return 0


@given(st.lists(st.integers(0, 6), max_size=9))
def test_as_few_as_possible_are_out_of_order(numbers: list[int]) -> None:
    """What is left is in order, and no fewer could have been taken out."""
    out = out_of_order(numbers)
    left = [number for place, number in enumerate(numbers) if place not in set(out)]
    assert left == sorted(left)
    assert len(left) == longest(numbers)


@given(st.lists(st.integers(), max_size=200).map(sorted))
def test_what_never_falls_is_in_order(numbers: list[int]) -> None:
    """Equal numbers are in order either way."""
    assert out_of_order(numbers) == []


@pytest.mark.parametrize(
    ("numbers", "out"),
    [([2, 1], 1), ([4, 2, 3, 1], 2), ([3, 2, 1], 2), ([1, 5, 2, 3, 4], 1), ([5, 1, 2, 3, 4], 1)],
)
def test_known_cases(numbers: list[int], out: int) -> None:
    """A late one is one, not everything behind it."""
    assert len(out_of_order(numbers)) == out


def disordered(scene: Scene, folder: Path) -> Counter[str]:
    rows = findings_of(scene, folder, lambda check: check.name == "order")
    assert {row["kind"] for row in rows} <= {"reordered"}
    return Counter(row["message_id"] for row in rows)


def scene(*keys: str | None, lane: str = "express") -> Scene:
    """One message a key, in this order."""
    legacy = [replayed(f"L{n}", ("custody", lane), order_key=key) for n, key in enumerate(keys)]
    return Scene.promised(legacy)


def test_keys_do_not_wait_for_each_other(tmp_path: Path) -> None:
    """Order is within an order key; without one there is none."""
    keys = scene("a", "b", None, None)
    keys.bus.reverse()
    assert disordered(keys, tmp_path) == {}


def test_lanes_may_overtake(tmp_path: Path) -> None:
    """That is what they are for."""
    lanes = Scene.promised(
        [
            replayed("L0", ("custody", "bulk"), order_key="k"),
            replayed("L1", ("custody", "express"), order_key="k"),
        ]
    )
    lanes.bus.reverse()
    assert disordered(lanes, tmp_path) == {}


def test_a_late_second_copy_is_no_disorder(tmp_path: Path) -> None:
    """The first arrival counts."""
    late = scene("k", "k", "k")
    late.bus.append(late.bus[0])
    assert disordered(late, tmp_path) == {}


def test_an_altered_message_still_has_its_place_in_the_order(tmp_path: Path) -> None:
    """Identity is the message id."""
    swapped = scene("k", "k")
    swapped.bus = [copy.with_header("ce_type", "x") for copy in reversed(swapped.bus)]
    assert disordered(swapped, tmp_path).total() == 1


def test_another_runs_copy_is_no_arrival(tmp_path: Path) -> None:
    """It arrived for another run."""
    older = scene("k", "k")
    older.bus.insert(0, older.bus[1].with_header("ce_runid", "older"))
    assert disordered(older, tmp_path) == {}


def test_the_finding_says_which_place_and_which_was_meant(tmp_path: Path) -> None:
    """As ranks, which tell nothing of the order key."""
    late = scene("secret key", "secret key", "secret key")
    late.bus.append(late.bus.pop(0))
    [finding] = findings_of(late, tmp_path, lambda check: check.name == "order")
    assert (finding["message_id"], finding["field"]) == (ids("L0"), "sequence")
    assert (finding["expected"], finding["observed"]) == ("1 of 3", "3 of 3")
    assert "secret" not in str(finding)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_shuffle_is_counted_key_by_key(tmp_path: Path, data: st.DataObject) -> None:
    """As many findings as lie outside each key's longest run in order."""
    keys = data.draw(st.lists(st.sampled_from([None, "a", "b"]), min_size=2, max_size=10))
    shuffled = scene(*keys)
    shuffled.bus = data.draw(st.permutations(shuffled.bus))
    places = {ids(f"L{n}"): n for n in range(len(keys))}
    arrived: dict[str, list[int]] = {"a": [], "b": []}
    for copy in shuffled.bus:
        number = places[_id(copy)]
        if keys[number] is not None:
            arrived[str(keys[number])].append(number)
    expected = sum(len(numbers) - longest(numbers) for numbers in arrived.values())
    assert disordered(shuffled, tmp_path).total() == expected


def _id(copy: Copy) -> str:
    assert copy.message_id
    return copy.message_id
