"""Work in other processes of this machine: the same results in the same order, whatever dies."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from migrate.core.workers import spread


def double(number: int) -> tuple[int, int]:
    return 2 * number, os.getpid()


def dies_elsewhere(item: tuple[int, int]) -> int:
    """Works in the process that made the item, and ends any other."""
    number, home = item
    if os.getpid() != home:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def refuse(number: int) -> int:
    raise ValueError(number)


@pytest.mark.parametrize(("workers", "here", "at_home"), [(1, 0, 9), (2, 0, 0), (2, 3, 3)])
def test_results_come_in_order_and_the_first_are_worked_here(
    workers: int, here: int, at_home: int
) -> None:
    """One worker is this process."""
    found = list(spread(double, range(9), workers=workers, here=here))
    assert [(item, result[0]) for item, result in found] == [(n, 2 * n) for n in range(9)]
    assert [result[1] == os.getpid() for _, result in found].count(True) == at_home


def test_few_items_start_no_process() -> None:
    """What is worked here is all there is."""
    assert [r[1] for _, r in spread(double, range(3), workers=2, here=3)] == [os.getpid()] * 3


def test_what_a_dying_worker_leaves_is_worked_here() -> None:
    """Nothing is lost, doubled or out of order."""
    items = [(number, os.getpid()) for number in range(8)]
    found = list(spread(dies_elsewhere, items, workers=2, here=0))
    assert found == [(item, item[0]) for item in items]


def test_an_error_of_the_work_is_raised_where_its_result_would_have_come() -> None:
    """From another process too."""
    with pytest.raises(ValueError, match="0"):
        next(spread(refuse, range(4), workers=2, here=0))


def test_the_callers_script_is_not_run_again(tmp_path: Path) -> None:
    """A script without a guard for its main part is run once, not once a worker."""
    script = tmp_path / "script.py"
    script.write_text(
        "from migrate.core.workers import spread\n"
        "print('once')\n"
        "print(sum(result for _, result in spread(abs, range(-4, 0), workers=2, here=0)))\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("once\n10\n", "")
