"""One process per run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from migrate.core.errors import RunLocked
from migrate.run.lock import Lock

HOLD = """
import sys
from pathlib import Path
from migrate.run.lock import Lock
lock = Lock(Path(sys.argv[1]), what="run x")
print("held", flush=True)
sys.stdin.read()
"""


def holder(path: Path) -> subprocess.Popen[str]:
    """Another process that holds the lock until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_is_refused_with_exit_code_5(tmp_path: Path) -> None:
    """It is told who holds the run."""
    process = holder(tmp_path / ".lock")
    try:
        with pytest.raises(RunLocked, match=f"pid {process.pid}") as refused:
            Lock(tmp_path / ".lock", what="run x")
        assert refused.value.exit_code == 5
    finally:
        process.communicate("")


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    """The lock dies with its process, whatever is written in the file."""
    process = holder(tmp_path / ".lock")
    process.kill()
    process.wait()
    with Lock(tmp_path / ".lock", what="run x"):
        assert (tmp_path / ".lock").read_text() == f"pid {os.getpid()}\n"
    process.communicate()


def test_a_released_lock_can_be_taken_again(tmp_path: Path) -> None:
    """Releasing twice does no harm."""
    lock = Lock(tmp_path / ".lock", what="run x")
    with pytest.raises(RunLocked):
        Lock(tmp_path / ".lock", what="run x")
    lock.release()
    lock.release()
    Lock(tmp_path / ".lock", what="run x", wait=True).release()
