"""A KahaDB journal: what is live after adds, removes, transactions and subscriptions."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.activemq.journal import commands, log_files
from extractors.activemq.kahadb import KahaDbStore
from migrate.core.errors import LegacyUnreadable
from migrate.core.flow import SourceSpec, StoreSpec
from migrate.core.schema import LEGACY
from tests.extractors import activemq_encoder as wire
from tests.extractors import activemq_journal as journal

TOPIC = "topic://T"


def message(number: int, destination: str = "queue://A", body: bytes | None = None) -> wire.Message:
    return wire.Message("bytes", body or b"%d" % number, destination=destination, number=number)


def store(folder: Path, **spec: Any) -> KahaDbStore:
    return KahaDbStore(replace(StoreSpec("store", "activemq-kahadb", str(folder)), **spec))


def source(from_: str = "*") -> SourceSpec:
    return SourceSpec("flow", "store", from_)


def read(found: KahaDbStore, of: SourceSpec | None = None) -> list[dict[str, Any]]:
    chunks = [chunk.table for chunk in found.read(of or source())]
    rows: list[dict[str, Any]] = pa.concat_tables(chunks or [LEGACY.empty_table()]).to_pylist()
    return rows


def bodies(folder: Path, *given_commands: bytes) -> list[bytes]:
    """What is live after these commands, each in a batch of its own."""
    journal.write(folder, [[each] for each in given_commands])
    return [record["body"] for record in read(store(folder))]


def test_what_was_removed_is_gone(tmp_path: Path) -> None:
    """In order of arrival; a second add of an id changes nothing, an update the frame."""
    one, two, three = (message(n) for n in (1, 2, 3))
    again = message(1, body=b"again")
    found = bodies(
        tmp_path,
        journal.add(one),
        journal.add(two),
        journal.add(again),
        journal.remove(two),
        journal.add(three),
        journal.update(message(3, body=b"new")),
        journal.remove(two),
    )
    assert found == [b"1", b"new"]


def test_a_destination_takes_its_messages_with_it(tmp_path: Path) -> None:
    """And no others."""
    other = message(2, "queue://B")
    added = [journal.add(message(1)), journal.add(other), journal.drop("queue://A")]
    assert bodies(tmp_path, *added) == [b"2"]


def test_transactions_count_when_they_commit(tmp_path: Path) -> None:
    """In the order of commits; rolled back and unfinished ones never happened."""
    first, second, third, fourth = (journal.local(n) for n in range(4))
    found = bodies(
        tmp_path,
        journal.add(message(1)),
        journal.add(message(2), first),
        journal.add(message(3), second),
        journal.remove(message(1), transaction=third),
        journal.add(message(4), fourth),
        journal.commit(second),
        journal.commit(first),
        journal.rollback(third),
    )
    assert found == [b"1", b"3", b"2"]


def test_prepared_transactions_are_in_doubt(tmp_path: Path) -> None:
    """Not read, and claimed by no flow until a reason puts them out of scope."""
    two = journal.xa(b"two")
    found = bodies(
        tmp_path, journal.add(message(1)), journal.add(message(2), two), journal.prepare(two)
    )
    assert found == [b"1"]
    claims = {c.container: (c.claims, c.records) for c in store(tmp_path).claims([source()])}
    assert claims == {"queue://A": (1, 1), "queue://A (in doubt)": (0, 1)}


def test_of_a_topic_every_subscription_gets_its_own(tmp_path: Path) -> None:
    """What came after it subscribed (or everything, if retroactive) and it did not acknowledge."""
    journal.write(
        tmp_path,
        [
            [journal.subscribe(TOPIC, "c:one"), journal.add(message(1, TOPIC))],
            [journal.subscribe(TOPIC, "c:two"), journal.add(message(2, TOPIC))],
            [journal.subscribe(TOPIC, "c:all", retroactive=True)],
            [
                journal.remove(message(2, TOPIC), "c:two"),
                journal.remove(message(1, TOPIC), "c:one"),
            ],
            [journal.subscribe(TOPIC, "c:end"), journal.add(message(3, TOPIC))],
            [journal.subscribe(TOPIC, "c:end", ends=True)],
        ],
    )
    found = store(tmp_path)
    units = [record["legacy_id"].removeprefix("ID:host-1:1:1:1:") for record in read(found)]
    assert units == ["1@c:all", "2@c:all", "2@c:one", "3@c:all", "3@c:one", "3@c:two"]
    assert found.population(source()).rows == 6
    assert sum(container.rows or 0 for container in found.inventory()) == 6


def test_copies_of_one_message_are_told_apart(tmp_path: Path) -> None:
    """By the place in the journal."""
    journal.write(tmp_path, [[journal.add(message(1)), journal.add(message(1, "queue://B"))]])
    ids = [record["legacy_id"] for record in read(store(tmp_path))]
    assert len(set(ids)) == 2
    assert all(each.startswith("ID:host-1:1:1:1:1#1:") for each in ids)


def test_a_journal_that_changes_is_refused(tmp_path: Path) -> None:
    """A sealed population is read from the very files it was sealed with."""
    journal.write(tmp_path, [[journal.add(message(1))]])
    found = store(tmp_path)
    population = found.population(source())
    journal.write(tmp_path, [[journal.add(message(1))], [journal.add(message(2))]])
    with pytest.raises(LegacyUnreadable, match="changed"):
        list(found.read(source(), population))


def test_a_folder_without_a_journal_is_refused(tmp_path: Path) -> None:
    """So is one that is not there, and a file that is none."""
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(LegacyUnreadable):
            read(store(folder))
    (tmp_path / "db-1.log").write_bytes(b"something else altogether")
    with pytest.raises(LegacyUnreadable, match="damaged at byte 0"):
        read(store(tmp_path))


def test_a_torn_tail_is_dropped_only_if_the_plan_says_so(tmp_path: Path) -> None:
    """And only at the end of the last file."""
    batches = [[journal.add(message(n))] for n in (1, 2)]
    journal.write(tmp_path, batches, tail=b"")
    path = tmp_path / "db-1.log"
    path.write_bytes(path.read_bytes()[:-150])
    with pytest.raises(LegacyUnreadable, match="damaged"):
        read(store(tmp_path))
    lenient = store(tmp_path, options=(("torn_tail", "drop"),))
    assert [record["body"] for record in read(lenient)] == [b"1"]
    (tmp_path / "db-2.log").write_bytes(b"")
    with pytest.raises(LegacyUnreadable, match="damaged"):
        read(store(tmp_path, options=(("torn_tail", "drop"),)))


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.data())
def test_no_broken_journal_is_read_as_another(
    tmp_path_factory: pytest.TempPathFactory, sizes: Sequence[int], data: st.DataObject
) -> None:
    """A bit flipped within the batches, or an end cut off: refused, or every command is there."""
    folder = tmp_path_factory.mktemp("journal")
    numbers = iter(range(100))
    batches = [[journal.add(message(next(numbers))) for _ in range(size)] for size in sizes]
    journal.write(folder, batches, tail=b"")
    path = folder / "db-1.log"
    whole = bytearray(path.read_bytes()[:-100])
    if data.draw(st.booleans()):
        bit = data.draw(st.integers(0, len(whole) * 8 - 1))
        whole[bit // 8] ^= 1 << bit % 8
        expected = [each for each in batches for each in each]
    else:
        whole = whole[: data.draw(st.integers(1, len(whole) - 1))]
        expected = [each for each in batches for each in each]
    path.write_bytes(whole)
    try:
        found = [each for _, each in commands(log_files(folder)[0])]
    except LegacyUnreadable:
        return
    assert found == expected[: len(found)]
    assert len(b"".join(map(journal.batch, batches[: _whole(found, sizes)]))) >= len(whole) - 28


def _whole(found: Sequence[bytes], sizes: Sequence[int]) -> int:
    """How many batches these commands fill."""
    count, seen = 0, 0
    while seen < len(found):
        seen += sizes[count]
        count += 1
    return count
