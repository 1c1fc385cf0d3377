"""Files that say how many records they hold, and how their character set is known."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrate.core.flow import RecordSpec, TrailerSpec
from tests.extractors.archives import zipped
from tests.extractors.files_helpers import make_spool, read_all, source, store
from tests.shared_data import shared_data

# AddressBase Premium: 10 header, 29 metadata, 99 trailer with RECORD_COUNT as its third field,
# which leaves out all three (Ordnance Survey, AddressBase Premium technical specification)
PREMIUM = TrailerSpec("99", "3", ("10", "29"))
CSV = RecordSpec("csv", header=False, trailer=PREMIUM)
VOLUME = (
    b'10,"ORDNANCE SURVEY",9999,2016-06-30,1,2016-06-30,09:00:00,"2.0","F"\r\n'
    b'11,"I",1,14200759,1,1110,2016-06-30\r\n'
    b'15,"I",2,14200759,"WELL\r\nSTREET","","EXETER","DEVON","ENG"\r\n'
    b'21,"I",3,10023117655,2,2011-07-12\r\n'
    b'21,"I",4,10023117656,2,2011-07-12\r\n'
    b'28,"I",5,10023117655,8787730\r\n'
    b'29,"GAZ",1\r\n'
    b"99,0,5,2016-06-30,09:00:00\r\n"
)


def totals(folder: Path, spec: RecordSpec, data: bytes, name: str = "a.csv") -> list[str]:
    """What a file declares and what is counted in it, each also by its command."""
    found = store(make_spool(folder, {name: data}))
    population = found.population(source("**/*.*", spec))
    values = []
    for control in population.controls[-2:]:
        done = subprocess.run(["bash", "-c", control.query], capture_output=True, check=True)
        assert done.stdout.decode().strip() == control.value, control.name
        values.append(control.value)
    return values


def test_the_trailer_of_a_volume_is_a_control_total(tmp_path: Path) -> None:
    """Of the file, whichever records of it the flow takes."""
    for number, kind in enumerate((None, "21", "28")):
        spec = RecordSpec("csv", header=False, trailer=PREMIUM, record_type=kind)
        right = "5, 1 of 1 trailers right"
        assert totals(tmp_path / str(number), spec, VOLUME) == [right, right]


@pytest.mark.parametrize(
    ("change", "declared", "counted"),
    [
        ((b"99,0,5", b"99,0,6"), "6, 1 of 1 trailers right", "5, 0 of 1 trailers right"),
        ((b"99,0,5", b"99,0,"), "0, 1 of 1 trailers right", "5, 0 of 1 trailers right"),
        ((b"99,0,5", b'99,0,"005"'), "5, 1 of 1 trailers right", "5, 1 of 1 trailers right"),
        ((VOLUME[-28:], b""), "0, 1 of 1 trailers right", "5, 0 of 1 trailers right"),
        ((VOLUME, b""), "0, 1 of 1 trailers right", "0, 0 of 1 trailers right"),
        ((VOLUME, VOLUME * 2), "10, 2 of 2 trailers right", "10, 2 of 2 trailers right"),
    ],
    ids=["wrong", "no number", "zeros", "none", "empty", "two volumes"],
)
def test_a_count_that_is_not_right_shows(
    tmp_path: Path, change: tuple[bytes, bytes], declared: str, counted: str
) -> None:
    """And so does a trailer that is missing: the file may have been cut short."""
    data = VOLUME.replace(*change)
    assert totals(tmp_path / "plain", CSV, data) == [declared, counted]
    packed = zipped({"in/a.csv": data})
    assert totals(tmp_path / "packed", CSV, packed, "a.zip") == [declared, counted]


def test_fixed_records_have_trailers_too(tmp_path: Path) -> None:
    """Found by their first characters, counted by place."""
    spec = RecordSpec("fixed", trailer=TrailerSpec("T", "1:6", ("H",)))
    data = b"H1\nAx\n\nAy\r\nT00002\nAz\nT00007\n"
    assert totals(tmp_path, spec, data) == [
        "9, 2 of 2 trailers right",
        "3, 1 of 2 trailers right",
    ]


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.sampled_from(["10,a", "21,b", '"21",c', "99,0,2", "99,0,0", "99", ""]), max_size=7)
)
def test_counts_and_commands_agree_on_any_file(tmp_path: Path, lines: list[str]) -> None:
    """However trailers lie about."""
    folder = tmp_path / str(len(list(tmp_path.iterdir())))
    declared, counted = totals(folder, CSV, "\n".join(lines).encode())
    assert declared.split(", ")[1].split(" of ")[1] == counted.split(", ")[1].split(" of ")[1]


@pytest.mark.parametrize(
    ("spec", "about"),
    [
        (RecordSpec("xml", trailer=PREMIUM), "record.trailer means nothing"),
        (RecordSpec("csv", trailer=TrailerSpec("99", "1:3")), "record.trailer.count"),
        (RecordSpec("csv", trailer=TrailerSpec("99", "0")), "record.trailer.count"),
        (RecordSpec("fixed", trailer=TrailerSpec("99", "3")), "record.trailer.count"),
        (RecordSpec("fixed", trailer=TrailerSpec("99", "3:2")), "record.trailer.count"),
    ],
)
def test_check_knows_where_a_count_may_be(tmp_path: Path, spec: RecordSpec, about: str) -> None:
    (problem,) = store(make_spool(tmp_path, {"a": b"x"})).check(source("*", spec))
    assert problem.startswith(about)


def test_the_inventory_says_how_a_character_set_is_known(tmp_path: Path) -> None:
    """A mark, a declaration, every byte looked at, or a guess."""
    files = {
        "1.txt": "é".encode("utf-16"),
        "2.xml": b'<?xml version="1.0" encoding="iso-8859-1"?><a>\xe9</a>',
        "3.txt": "é".encode(),
        "4.txt": b"\xe9",
        "5.zip": zipped({"a.csv": b"\xef\xbb\xbfh\n1\n"}),
    }
    found = store(make_spool(tmp_path, files)).inventory()
    assert [(one.detail["charset"], one.detail["charset_known"]) for one in found] == [
        ("utf-16-le", "byte order mark"),
        ("iso-8859-1", "declared in the file"),
        ("utf-8", "valid to its last byte"),
        ("windows-1252", "not UTF-8, and windows-1252 takes anything"),
        ("utf-8", "byte order mark"),
    ]


def test_a_population_says_how_a_character_set_is_known(tmp_path: Path) -> None:
    """Of each file that a flow reads; the plan's word counts where the file says nothing."""
    spool = make_spool(tmp_path, {"1.csv": b"h\n1\n", "2.csv": b"\xef\xbb\xbfh\n1\n"})
    flow = source("*", RecordSpec("csv", charset="windows-1252"))
    sealed = store(spool).population(flow).sealed["files"]
    assert [(one["charset"], one["known"]) for one in sealed] == [
        ("windows-1252", "the plan says so"),
        ("utf-8", "byte order mark"),
    ]


def test_the_real_gazetteer_arrives_from_an_archive(tmp_path: Path) -> None:
    """AddressBase Plus samples, insert, update, delete and broken, as from their folder."""
    folder = shared_data("gazetteer")
    files = {path.name: path.read_bytes() for path in sorted(folder.glob("*.csv"))}
    flow = source("**/*.csv", RecordSpec("csv", header=False, charset="detect"))
    plain = read_all(store(folder), flow)
    packed = store(make_spool(tmp_path, {"drop.zip": zipped(files)}))
    population = packed.population(flow)
    table = read_all(packed, flow, population)
    assert table.column("body") == plain.column("body")
    assert population.rows == plain.num_rows == 80
    ids = table.column("legacy_id").to_pylist()
    assert ids == [f"drop.zip!/{one}" for one in plain.column("legacy_id").to_pylist()]
