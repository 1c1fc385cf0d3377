"""Off-ramps get no more than they asked for."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrate.core.flow import OffRampSpec
from migrate.run.throttle import BURST_S, Throttle
from tests.run.clocks import Clock


def test_a_burst_is_a_quarter_of_a_second_or_a_single_message() -> None:
    """Of either rate; what has no rate has no burst."""
    clock = Clock()
    fast = Throttle(OffRampSpec("x", messages_per_s=400, bytes_per_s=8000), clock.monotonic)
    assert (fast.burst, fast.burst_bytes) == (100, 2000)
    slow = Throttle(OffRampSpec("x", messages_per_s=0.5, bytes_per_s=2), clock.monotonic)
    assert (slow.burst, slow.burst_bytes) == (1, 1)
    free = Throttle(OffRampSpec("x"), clock.monotonic)
    assert (free.burst, free.burst_bytes, free.early()) == (None, None, 0)


@settings(deadline=None)
@given(
    per_s=st.one_of(st.none(), st.floats(0.5, 5000)),
    bytes_per_s=st.one_of(st.none(), st.integers(1, 10**6)),
    bursts=st.lists(st.tuples(st.integers(1, 400), st.integers(0, 10**5)), max_size=20),
)
def test_no_rate_is_exceeded(
    per_s: float | None, bytes_per_s: int | None, bursts: list[tuple[int, int]]
) -> None:
    """Whenever a burst may go, all before it fits into the time that has passed; nor is any time
    lost where both rates allow more."""
    clock = Clock()
    start = clock.monotonic()
    ramp = OffRampSpec("x", messages_per_s=per_s, bytes_per_s=bytes_per_s)
    throttle = Throttle(ramp, clock.monotonic)
    messages = size = 0
    needed = 0.0
    for count, volume in bursts:
        while (early := throttle.early()) > 0:
            clock.wait(early)
        passed = clock.monotonic() - start
        assert per_s is None or messages <= per_s * passed * 1.000001 + 1e-6
        assert bytes_per_s is None or size <= bytes_per_s * passed * 1.000001 + 1
        assert passed == pytest.approx(needed, rel=1e-6, abs=1e-3)
        throttle.spent(count, volume)
        messages, size = messages + count, size + volume
        needed += max(count / per_s if per_s else 0, volume / bytes_per_s if bytes_per_s else 0)
    assert BURST_S == 0.25
