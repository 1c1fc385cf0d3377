"""A signal asks for a stop; it never cuts anything short."""

import os
import signal

import pytest

from migrate.core.errors import Interrupted
from migrate.run.stop import SIGNALS, Stop


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_is_noted_and_raised_at_the_next_safe_place(number: signal.Signals) -> None:
    """Exit code 130; a second signal changes nothing."""
    with Stop() as stop:
        stop.check()
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)
        assert stop.requested
        with pytest.raises(Interrupted) as interrupted:
            stop.check()
    assert interrupted.value.exit_code == 130


def test_the_handlers_from_before_come_back() -> None:
    """Outside, signals mean what they meant."""
    before = [signal.getsignal(number) for number in SIGNALS]
    with Stop():
        assert [signal.getsignal(number) for number in SIGNALS] != before
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_waiting_ends_when_a_stop_is_asked_for() -> None:
    """A throttled run does not keep the operator waiting."""
    stop = Stop()
    stop.request()
    with pytest.raises(Interrupted):
        stop.wait(3600)
