"""From message segments to windows."""

from itertools import zip_longest

from hypothesis import given, settings
from hypothesis import strategies as st

from migrate.core.ports import Outgoing
from migrate.run.windows import Delivery, Limits, cut, deliveries
from tests.run.builders import messages

DELIVERIES = st.lists(
    st.builds(
        lambda key, to: (key, to),
        st.sampled_from([None, "a", "b"]),
        st.sampled_from(["x", "y"]),
    ),
    max_size=40,
)


def delivery(ordinal: int, key: str | None, to: str) -> Delivery:
    return Delivery(ordinal, key, Outgoing(to, "bulk", str(ordinal), {}, b""))


@settings(deadline=None)
@given(
    wanted=DELIVERIES,
    size=st.integers(1, 10),
    burst=st.one_of(st.none(), st.integers(1, 3)),
    one_per_key=st.booleans(),
)
def test_windows_keep_order_and_limits(
    wanted: list[tuple[str | None, str]], size: int, burst: int | None, one_per_key: bool
) -> None:
    """Nothing is lost or moved; no window is empty, too large, or breaks a limit; none is cut
    short without need."""
    stream = [delivery(number, *item) for number, item in enumerate(wanted)]
    limits = Limits(size, {} if burst is None else {"x": burst}, one_per_key)
    windows = list(cut(stream, limits))
    assert [one for window in windows for one in window] == stream
    for window, after in zip_longest(windows, windows[1:]):
        assert fits(window, size, burst, one_per_key)
        assert after is None or not fits([*window, after[0]], size, burst, one_per_key)


def fits(window: list[Delivery], size: int, burst: int | None, one_per_key: bool) -> bool:
    keys = [(one.outgoing.destination, one.order_key) for one in window if one.order_key]
    to_x = sum(one.outgoing.destination == "x" for one in window)
    return (
        0 < len(window) <= size
        and (burst is None or to_x <= burst)
        and (not one_per_key or len(set(keys)) == len(keys))
    )


def test_a_delivery_carries_the_envelope_its_lane_and_its_run() -> None:
    """Headers as on the bus: sorted, with ce_lane and ce_runid; a null body is an empty one."""
    table = messages([[("custody", "bulk"), ("nfd", "bulk"), ("nfd", "express")]], start=7)
    first, second = deliveries(table, "bulk", "run-1", range(9))
    assert first.outgoing.headers == {
        "ce_id": f"{7:032x}",
        "ce_lane": "bulk",
        "ce_runid": "run-1",
        "ce_sequence": "7",
    }
    assert second.outgoing.headers is first.outgoing.headers
    assert list(first.outgoing.headers) == sorted(first.outgoing.headers)
    assert (first.outgoing.body, first.outgoing.destination) == (b"body 7", "custody")
    assert (second.ordinal, second.outgoing.destination) == (1, "nfd")


def test_only_wanted_deliveries_are_made() -> None:
    """Ordinals count a lane's deliveries in segment order, whatever is wanted of them."""
    table = messages([[("a", "bulk")], [("a", "express")], [("a", "bulk"), ("b", "bulk")], []])
    found = list(deliveries(table, "bulk", "r", {2}))
    assert [(one.ordinal, one.outgoing.destination) for one in found] == [(2, "b")]


def test_a_sliced_table_is_read_from_where_it_begins() -> None:
    """A slice shares its buffers with the whole; offsets count from the whole."""
    table = messages([[("a", "bulk")], [("b", "bulk")], [("c", "bulk")]])
    found = list(deliveries(table.slice(1), "bulk", "r", range(9)))
    assert [one.outgoing.destination for one in found] == ["b", "c"]
    assert [one.outgoing.headers["ce_sequence"] for one in found] == ["1", "2"]
