"""The framed log: a crash may cut it short, nothing may falsify it."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrate.core import durable
from migrate.run.journal import MAGIC, Journal, JournalDamaged, read, read_at

KINDS = st.sampled_from([b"I", b"R"])
FRAMES = st.lists(st.tuples(KINDS, st.binary(max_size=60)), max_size=6)


def written(folder: Path, frames: list[tuple[bytes, bytes]], owner: str = "run-1") -> Path:
    """A closed log of these frames, one group each."""
    path = folder / "load.log"
    journal = Journal.create(path, owner)
    for frame in frames:
        journal.append([frame], event="intent")
    journal.close()
    return path


def contents(path: Path, owner: str = "run-1") -> list[tuple[bytes, bytes]]:
    return [(frame.kind, frame.payload) for frame in read(path, owner)]


@settings(deadline=None)
@given(groups=st.lists(FRAMES, max_size=4))
def test_what_is_appended_is_read_back(groups: list[list[tuple[bytes, bytes]]]) -> None:
    """Frames come back in order, whatever their bytes, also after reopening between groups."""
    with tempfile.TemporaryDirectory() as name:
        path = written(Path(name), [])
        for group in groups:
            journal = Journal.reopen(path, "run-1")
            offsets = journal.append(group, event="intent")
            journal.close()
            assert [read_at(path, offset) for offset in offsets] == [load for _, load in group]
        assert contents(path) == [frame for group in groups for frame in group]


@settings(deadline=None, max_examples=30)
@given(frames=FRAMES)
def test_a_log_cut_anywhere_is_a_prefix_of_itself(frames: list[tuple[bytes, bytes]]) -> None:
    """Truncated at every byte, it yields its first frames, and takes new ones behind them."""
    with tempfile.TemporaryDirectory() as name:
        path = written(Path(name), frames)
        whole = path.read_bytes()
        for size in range(len(whole) + 1):
            path.write_bytes(whole[:size])
            kept = contents(path)
            assert kept == frames[: len(kept)]
            journal = Journal.reopen(path, "run-1")
            journal.append([(b"R", b"new")], event="receipt")
            journal.close()
            assert contents(path) == [*kept, (b"R", b"new")]


@settings(deadline=None, max_examples=25)
@given(frames=FRAMES)
def test_every_flipped_bit_is_noticed(frames: list[tuple[bytes, bytes]]) -> None:
    """No single bit of a whole log can be changed without its being refused."""
    with tempfile.TemporaryDirectory() as name:
        path = written(Path(name), frames)
        whole = path.read_bytes()
        for bit in range(len(whole) * 8):
            changed = bytearray(whole)
            changed[bit // 8] ^= 1 << bit % 8
            path.write_bytes(changed)
            with pytest.raises(JournalDamaged):
                contents(path)
            with pytest.raises(JournalDamaged):
                Journal.reopen(path, "run-1")


@settings(deadline=None)
@given(frames=FRAMES, data=st.data())
def test_no_damage_invents_a_frame(frames: list[tuple[bytes, bytes]], data: st.DataObject) -> None:
    """Cut, overwritten, swapped or doubled: the log yields a prefix or is refused."""
    with tempfile.TemporaryDirectory() as name:
        path = written(Path(name), frames)
        whole = path.read_bytes()
        start = data.draw(st.integers(0, len(whole)))
        end = data.draw(st.integers(start, len(whole)))
        noise = data.draw(st.one_of(st.binary(max_size=80), st.just(whole[start:end] * 2)))
        path.write_bytes(whole[:start] + noise + whole[end:])
        try:
            kept = contents(path)
        except JournalDamaged:
            return
        assert kept == frames[: len(kept)]


@pytest.mark.parametrize("zeros", [1, 9, 16, 25, 70_000])
def test_zeros_after_a_power_failure_are_a_torn_tail(tmp_path: Path, zeros: int) -> None:
    """A file that grew but was never filled holds no further frame."""
    path = written(tmp_path, [(b"I", b"one")])
    with path.open("ab") as file:
        file.write(bytes(zeros))
    assert contents(path) == [(b"I", b"one")]
    Journal.reopen(path, "run-1").close()
    assert contents(path) == [(b"I", b"one")]


def test_a_torn_tail_is_cut_off_only_when_the_log_is_taken_up_again(tmp_path: Path) -> None:
    """Reading changes nothing."""
    path = written(tmp_path, [(b"I", b"one"), (b"R", b"two")])
    torn = path.read_bytes()[:-1]
    path.write_bytes(torn)
    assert contents(path) == [(b"I", b"one")]
    assert path.read_bytes() == torn
    Journal.reopen(path, "run-1").close()
    assert len(path.read_bytes()) < len(torn)


def test_another_runs_log_is_refused(tmp_path: Path) -> None:
    """A log belongs to one run; its frames mean nothing elsewhere."""
    path = written(tmp_path, [(b"I", b"one")], owner="run-0")
    with pytest.raises(JournalDamaged):
        contents(path)


def test_a_frame_of_another_run_cannot_be_brought_in(tmp_path: Path) -> None:
    """A receipt is valid only behind the frames it was written behind."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    mine = written(tmp_path / "a", [(b"I", b"one")])
    other = written(tmp_path / "b", [(b"I", b"uno"), (b"R", b"two")])
    receipt = list(read(other, "run-1"))[1]
    mine.write_bytes(mine.read_bytes() + other.read_bytes()[receipt.offset :])
    with pytest.raises(JournalDamaged):
        contents(mine)


def test_a_group_is_announced_when_it_is_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One durable event a group, and the frames are in the file by then."""
    path = written(tmp_path, [])
    journal = Journal.reopen(path, "run-1")
    seen: list[tuple[str, int]] = []
    monkeypatch.setattr(
        durable, "made_durable", lambda event: seen.append((event, len(contents(path))))
    )
    journal.append([(b"I", b"one"), (b"I", b"two")], event="intent")
    journal.close()
    assert seen == [("intent", 2)]


def test_a_closed_log_takes_nothing(tmp_path: Path) -> None:
    """Nothing is lost silently."""
    journal = Journal.create(tmp_path / "load.log", "run-1")
    journal.close()
    with pytest.raises(OSError):
        journal.append([(b"I", b"one")], event="intent")
    assert (tmp_path / "load.log").read_bytes().startswith(MAGIC)
