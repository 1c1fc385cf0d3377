"""Off-ramps get no more than they asked for."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrate.core.flow import OffRampSpec
from migrate.run.throttle import Throttle, rates


class Clock:
    """Time that passes only when somebody waits."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


def test_only_declared_rates_count() -> None:
    """An off-ramp without a rate is never waited for."""
    offramps = {
        "fast": OffRampSpec("fast"),
        "slow": OffRampSpec("slow", messages_per_s=2.0),
    }
    clock = Clock()
    throttle = Throttle(rates(offramps), clock.wait, clock)
    for _ in range(3):
        throttle.hold(["fast"] * 1000)
    assert clock.now == 100.0
    assert throttle.bursts() == {"slow": 1}


@settings(deadline=None)
@given(
    rate=st.floats(0.5, 5000),
    windows=st.lists(st.integers(0, 400), min_size=1, max_size=20),
)
def test_no_rate_is_exceeded(rate: float, windows: list[int]) -> None:
    """Up to the last window, no more has gone out than the rate allows for the time passed."""
    clock = Clock()
    throttle = Throttle({"slow": rate}, clock.wait, clock)
    gone = 0
    for size in windows:
        throttle.hold(["slow"] * size + ["fast"])
        if size:
            assert gone <= rate * (clock.now - 100.0) * 1.000001
        gone += size
    assert clock.now - 100.0 == pytest.approx(
        (sum(windows) - next((size for size in reversed(windows) if size), 0)) / rate
    )
