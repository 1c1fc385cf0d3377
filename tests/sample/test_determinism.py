"""The estate depends on two numbers and on nothing else."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.core.errors import UsageError
from migrate.sample.dice import dice, spread
from migrate.sample.estate import LEAST, flow_counts, write_sample

Estate = dict[str, bytes | list[str]]


def _content(folder: Path) -> Estate:
    """Every file's bytes, and of the database the rows of every table in their order."""
    files: Estate = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".db"
    }
    return {**files, "isb.db": list(_dump(folder / "isb.db"))}


def _dump(path: Path) -> Iterator[str]:
    connection = sqlite3.connect(path)
    yield from connection.iterdump()
    connection.close()


def _written(folder: Path, messages: int, seed: int) -> Estate:
    write_sample(folder, messages, seed)
    return _content(folder)


def test_equal_numbers_give_an_equal_estate(tmp_path: Path) -> None:
    """Rows, file names and bytes."""
    assert _written(tmp_path / "a", 300, 7) == _written(tmp_path / "b", 300, 7)


def test_another_process_with_another_hash_seed_writes_the_same(tmp_path: Path) -> None:
    """Nothing hangs on the order of a set or on a string's hash."""
    code = (
        "import sys; from pathlib import Path; from migrate.sample.estate import write_sample; "
        "write_sample(Path(sys.argv[1]), 300, 7)"
    )
    there = tmp_path / "there"
    environment = {**os.environ, "PYTHONHASHSEED": "12345", "TZ": "Pacific/Auckland"}
    subprocess.run([sys.executable, "-c", code, str(there)], check=True, env=environment)
    assert _content(there) == _written(tmp_path / "here", 300, 7)


def test_another_seed_gives_other_messages_and_the_same_misery(tmp_path: Path) -> None:
    """The seed deals the ordinary messages."""
    one, other = _written(tmp_path / "a", 300, 1), _written(tmp_path / "b", 300, 2)
    assert one["isb.db"] != other["isb.db"]
    assert one["spool/footwear/FW-900003.xml"] == other["spool/footwear/FW-900003.xml"]


def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    """Files 0600, folders 0700."""
    write_sample(tmp_path / "estate", LEAST, 1)
    modes = {
        (path.is_dir(), path.stat().st_mode & 0o777) for path in (tmp_path / "estate").rglob("*")
    }
    assert modes == {(True, 0o700), (False, 0o600)}


def test_too_few_messages_are_refused(tmp_path: Path) -> None:
    """There must be room beside the misery."""
    with pytest.raises(UsageError):
        write_sample(tmp_path / "estate", LEAST - 1, 1)


@given(st.integers(LEAST, 10_000_000))
def test_the_flows_add_up_to_the_messages_asked_for(messages: int) -> None:
    """Whatever the number."""
    counts = flow_counts(messages)
    assert sum(counts.values()) == messages
    assert min(counts.values()) > 0


@given(st.integers(0, 50), st.integers(1, 500))
def test_special_items_keep_their_order_and_their_number(special: int, ordinary: int) -> None:
    """Each has a place of its own within the whole."""
    places = spread(special + ordinary, range(special))
    assert list(places.values()) == list(range(special))
    assert list(places) == sorted(places)
    assert all(0 <= place < special + ordinary for place in places)


def test_rolls_are_the_same_for_ever() -> None:
    """Known numbers: an estate written by another version of Python is the same estate."""
    roll = dice(22, "custody")
    assert [roll(), roll()] == [1105980088797846483, 17797766586847514515]
