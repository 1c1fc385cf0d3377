"""What repeats in an export is found in memory that does not grow with it."""

import hashlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.exports import read, survey
from extractors.exports.repeats import Repeats, mark_of
from tests.extractors.artemis_helpers import Message, export_xml, read_all, source, store


def digest(number: int) -> bytes:
    return hashlib.sha256(str(number).encode()).digest()


@given(st.lists(st.integers(0, 40)))
def test_every_mark_that_repeats_is_found_once(numbers: list[int]) -> None:
    """However they are mixed."""
    with Repeats() as repeats:
        for number in numbers:
            repeats.add(digest(number))
        found = list(repeats.found())
    assert sorted(found) == sorted(
        mark_of(digest(number)) for number, times in Counter(numbers).items() if times > 1
    )


def in_one_bucket(number: int) -> bytes:
    return number.to_bytes(8, "big")


@pytest.mark.parametrize("marked", [digest, in_one_bucket])
def test_what_goes_to_disk_is_counted_too(marked: Callable[[int], bytes]) -> None:
    """Marks evenly spread or all in one bucket, and repeats far apart."""
    again = range(0, 30_000, 9_999)
    with Repeats() as repeats:
        for number in (*range(30_000), *again):
            repeats.add(marked(number))
        assert list(repeats.found()) == sorted(mark_of(marked(number)) for number in again)


def test_beyond_a_number_of_repeats_every_id_gets_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sealed population stays small; ids stay unique, and the same with and without it."""
    monkeypatch.setattr(read, "LISTED", 1)
    for name in ("a.xml", "b.xml"):
        messages = [Message(number, b"%d" % number) for number in (1, 2, 2)]
        (tmp_path / name).write_bytes(export_xml([*messages, Message(7, b"7")][: 3 + (name < "b")]))
    found = store(tmp_path)
    population = found.population(source())
    assert population.sealed["repeated"] == "*"
    table = read_all(found, source())
    ids = table.column("legacy_id").to_pylist()
    assert ids[:4] == [
        "1@orders#a.xml#1",
        "2@orders#a.xml#1",
        "2@orders#a.xml#2",
        "7@orders#a.xml#1",
    ]
    assert len(set(ids)) == len(ids)
    (chunk,) = found.read(source(), population)
    assert chunk.table == table.combine_chunks()


def test_equal_messages_without_an_id_are_each_a_message(tmp_path: Path) -> None:
    """They are numbered within their file; the population finds that they repeat."""
    xml = export_xml([Message(1, b"same")] * 3 + [Message(2, b"other")])
    path = tmp_path / "export.xml"
    path.write_bytes(
        xml.replace(b' id="1" priority', b" priority").replace(b' id="2" priority', b" priority")
    )
    found = store(path)
    ids = read_all(found, source()).column("legacy_id").to_pylist()
    assert [text.rpartition("#")[2] for text in ids] == ["1", "2", "3", "1"]
    assert len(found.population(source()).sealed["repeated"]) == 1


def test_a_type_of_its_own_for_every_message_does_not_fill_the_inventory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond a number of names the rest is counted together; nothing is left out."""
    monkeypatch.setattr(survey, "MOST_NAMED", 3)
    messages = [Message(n, b"", properties=[("JMSType", f"T{n}", "string")]) for n in range(8)]
    path = tmp_path / "export.xml"
    path.write_bytes(export_xml(messages))
    (container,) = store(path).inventory()
    assert container.detail["types"] == {"(others)": 5, "T0": 1, "T1": 1, "T2": 1}


def test_a_chunk_is_bounded_by_its_headers_too(tmp_path: Path) -> None:
    """Messages that carry their load in properties do not pile up."""
    load = [("load", "x" * 900, "string")]
    path = tmp_path / "export.xml"
    path.write_bytes(export_xml([Message(n, b"", properties=load) for n in range(6)]))
    chunks = list(store(path, batch_bytes=2000).read(source()))
    assert [chunk.table.num_rows for chunk in chunks] == [2, 2, 2]
