"""From message segments to windows."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from migrate.run.windows import Cutter, LaneDeliveries, Limits, OrderKey
from tests.run.builders import messages
from tests.windows import envelope

DELIVERIES = st.lists(
    st.tuples(st.sampled_from([None, "a", "b"]), st.sampled_from(["x", "y"])), max_size=40
)


def lane(wanted: list[tuple[str | None, str]]) -> LaneDeliveries:
    """One message a delivery, with these order keys and destinations."""
    table = messages([[(to, "bulk")] for _, to in wanted], keys=[key for key, _ in wanted])
    return LaneDeliveries(table, "bulk", "run-1")


@settings(deadline=None)
@given(
    wanted=DELIVERIES,
    size=st.integers(1, 10),
    slack=st.integers(0, 3),
    room=st.one_of(st.none(), st.integers(1, 30)),
    one_per_key=st.booleans(),
    in_flight=st.integers(1, 3),
    skipped=st.sets(st.integers(0, 40)),
)
def test_windows_keep_order_and_limits(
    wanted: list[tuple[str | None, str]],
    size: int,
    slack: int,
    room: int | None,
    one_per_key: bool,
    in_flight: int,
    skipped: set[int],
) -> None:
    """Everything wanted goes out once; each order key in order and never twice at a time; no
    window is empty while nothing is under way, too large, or breaks a limit."""
    deliveries = lane(wanted)
    ordinals = [number for number in range(len(wanted)) if number not in skipped]
    limits = Limits(size, slack, room, one_per_key)
    cutter = Cutter(deliveries, ordinals, limits)
    under_way: list[list[int]] = []
    windows: list[list[int]] = []
    while cutter.left:
        busy = Counter(key for window in under_way for key in keys_of(deliveries, window))
        window = cutter.cut(busy if one_per_key else Counter())
        assert window or under_way
        if one_per_key:
            assert not busy.keys() & set(keys_of(deliveries, window))
        if window:
            windows.append(window)
            under_way.append(window)
        if not window or len(under_way) == in_flight:
            under_way.pop(0)
    assert sorted(number for window in windows for number in window) == ordinals
    for window in windows:
        assert len(window) <= size + slack
        assert room is None or len(window) == 1 or deliveries.sizes[window].sum() <= room
    sent = [number for window in windows for number in window]
    for key in set(keys_of(deliveries, ordinals)):
        of_key = [number for number in sent if keys_of(deliveries, [number]) == [key]]
        assert of_key == sorted(of_key)
    if not one_per_key:
        assert sent == ordinals
    if not one_per_key and room is None:
        sizes = [len(window) for window in windows]
        assert set(sizes[:-1]) <= {size}
        assert len(sizes) == 1 or not sizes or sizes[-1] > slack or slack >= size


def keys_of(deliveries: LaneDeliveries, window: list[int]) -> list[OrderKey]:
    offered = deliveries.window(window)
    pairs = zip(offered.destinations, offered.order_keys, strict=True)
    return [(to, key) for to, key in pairs if key is not None]


def test_a_busy_key_does_not_hold_up_others() -> None:
    """What waits for its predecessor is overtaken by what does not, and comes first afterwards."""
    deliveries = lane([("a", "x"), ("a", "x"), ("b", "x"), (None, "x"), ("a", "y")])
    cutter = Cutter(deliveries, range(5), Limits(10, one_per_key=True))
    assert cutter.cut(set()) == [0, 2, 3, 4]
    assert cutter.cut({("x", "a")}) == []
    assert cutter.left
    assert cutter.cut(set()) == [1]
    assert not cutter.left


def test_a_delivery_carries_the_envelope_its_lane_and_its_run() -> None:
    """Headers as on the bus: sorted, with ce_lane and ce_runid; a null body is an empty one."""
    table = messages([[("custody", "bulk"), ("nfd", "bulk"), ("nfd", "express")]], start=7)
    window = LaneDeliveries(table, "bulk", "run-1").window([0, 1])
    assert envelope(window, 0) == {
        "ce_id": f"{7:032x}",
        "ce_lane": "bulk",
        "ce_runid": "run-1",
        "ce_sequence": "7",
    }
    assert list(envelope(window, 1)) == sorted(envelope(window, 1))
    assert window.bodies.to_pylist() == [b"body 7"] * 2
    assert window.destinations == ["custody", "nfd"]
    assert window.take([1]).destinations == ["nfd"]


def test_ordinals_count_a_lanes_deliveries_in_segment_order() -> None:
    """Whatever is wanted of them."""
    table = messages([[("a", "bulk")], [("a", "express")], [("a", "bulk"), ("b", "bulk")], []])
    deliveries = LaneDeliveries(table, "bulk", "r")
    assert len(deliveries) == 3
    assert deliveries.window([2]).destinations == ["b"]


def test_a_sliced_table_is_read_from_where_it_begins() -> None:
    """A slice shares its buffers with the whole; offsets count from the whole."""
    table = messages([[("a", "bulk")], [("b", "bulk")], [("c", "bulk")]])
    window = LaneDeliveries(table.slice(1), "bulk", "r").window([0, 1])
    assert window.destinations == ["b", "c"]
    assert [envelope(window, place)["ce_sequence"] for place in (0, 1)] == ["1", "2"]
