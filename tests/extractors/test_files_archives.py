"""Archives in a spool are folders: their files are read as files, and hostile ones are survived."""

import hashlib
import io
import os
import subprocess
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from extractors.files.archive.inflate import Damaged, Inflated
from extractors.files.archive.limits import Limits
from extractors.files.archive.member import Refused
from extractors.files.cutters import CUTTERS
from extractors.files.view import BytesView
from migrate.core.errors import LegacyUnreadable
from migrate.core.flow import RecordSpec, SourceSpec, TrailerSpec
from migrate.core.identity import legacy_id_of_record
from migrate.core.ports import Claim
from tests.extractors import archives
from tests.extractors.archives import DEFLATED, STORED, gzipped, tarred, zipped
from tests.extractors.files_helpers import make_spool, read_all, source, store

XML = RecordSpec("xml", each="/b/i")
FILE = RecordSpec("file")
FILES = {"custody/b.xml": b"<b><i>1</i></b>", "custody/a.xml": b"<b><i>2</i></b>", "c.txt": b"x\ny"}
PACKINGS: dict[str, Callable[[dict[str, bytes]], bytes]] = {
    "drop.zip": zipped,
    "stored.ZIP": lambda files: zipped(files, STORED),
    "drop.tar": tarred,
    "gnu.tar": lambda files: tarred(files, format_=tarfile.GNU_FORMAT),
    "drop.tar.gz": lambda files: gzipped(tarred(files)),
    "drop.tgz": lambda files: gzipped(tarred({f"./{name}": files[name] for name in files})),
}


def packed(folder: Path, name: str, files: dict[str, bytes] = FILES) -> Path:
    return make_spool(folder, {f"in/{name}": PACKINGS[name](files), "z.xml": b"<b><i>3</i></b>"})


def bodies(found: object, glob: str, spec: RecordSpec = FILE) -> list[bytes]:
    return list(read_all(found, source(glob, spec)).column("body").to_pylist())  # type: ignore[arg-type]


@pytest.mark.parametrize("name", PACKINGS)
def test_an_archive_is_a_folder(tmp_path: Path, name: str) -> None:
    """Globs go into it, ids name the path in it, its own order stands where its name does."""
    found = store(packed(tmp_path, name))
    assert [one.name for one in found.inventory()] == [
        *(f"in/{name}!/{member}" for member in FILES),
        "z.xml",
    ]
    assert bodies(found, "**/*.xml", XML) == [b"<i>1</i>", b"<i>2</i>", b"<i>3</i>"]
    assert bodies(found, f"in/{name}!/custody/a.xml", XML) == [b"<i>2</i>"]
    assert bodies(found, f"in/{name}!/*.txt") == [b"x\ny"]
    table = read_all(found, source("in/**", FILE))
    digest = hashlib.sha256(FILES["c.txt"]).digest()
    path = f"in/{name}!/c.txt"
    assert table.column("legacy_id").to_pylist()[2] == legacy_id_of_record(path, digest, 1)


@pytest.mark.parametrize("name", PACKINGS)
@pytest.mark.parametrize("sealed", [True, False])
def test_resuming_works_from_any_checkpoint(tmp_path: Path, name: str, sealed: bool) -> None:
    """Within a member, between members, and between an archive and what follows it."""
    files = {f"{n % 3}/{n}.csv": b"h\n" + b"row\n" * n for n in range(6, 0, -1)}
    found = store(packed(tmp_path, name, files), batch_rows=2)
    flow = source("in/**", RecordSpec("csv"))
    population = found.population(flow) if sealed else None
    chunks = list(found.read(flow, population))
    position = 0
    for done, chunk in enumerate(chunks, 1):
        position += chunk.table.num_rows
        again = found.read(flow, population, after=chunk.checkpoint, position=position)
        assert [(c.table, c.checkpoint) for c in again] == [
            (c.table, c.checkpoint) for c in chunks[done:]
        ]
    assert position == 21


@pytest.mark.parametrize("name", PACKINGS)
@pytest.mark.parametrize("record", sorted(CUTTERS))
def test_every_record_format_works_inside(tmp_path: Path, name: str, record: str) -> None:
    """A packed file gives the records that it gives outside."""
    files = {
        "1": b'h,i\n"a\nb",1\n2,3\n',
        "2": b'{"a": [1, 2]}\n{"b": 3}\n',
        "3": b"<a><b/><c>text</c></a>",
        "4": b"UNB+UNOA:1+a+b+1+2'UNH+1+X'BGM+1'UNT+3+1'UNZ+1+2'",
        "5": "é\nœ\n".encode("utf-16"),
        "6": b"",
    }
    files = {f"{member}.x": data for member, data in files.items()}
    plain = store(make_spool(tmp_path / "plain", files))
    within = store(packed(tmp_path / "packed", name, files))
    spec = RecordSpec(record, charset="detect")  # type: ignore[arg-type]
    assert bodies(within, "in/**", spec) == bodies(plain, "**", spec)


def test_a_compressed_file_is_what_it_holds(tmp_path: Path) -> None:
    """Under its own name, of one gzip member or of several, with padding or without."""
    data = gzipped(b"<b><i>1</i>") + gzipped(b"<i>2</i></b>") + bytes(512)
    found = store(make_spool(tmp_path, {"a.xml.gz": data, "b.csv.gz": gzipped(b"h\n1\n2\n")}))
    assert bodies(found, "*.xml.gz", XML) == [b"<i>1</i>", b"<i>2</i>"]
    assert bodies(found, "*.xml", XML) == []
    listed = [(one.name, one.rows, one.bytes) for one in found.inventory()]
    assert listed == [("a.xml.gz", 1, 23), ("b.csv.gz", 2, 6)]


def test_claims_count_what_archives_hold(tmp_path: Path) -> None:
    """By flow, by out_of_scope, by nobody; an archive left out by its own name stays closed."""
    files = {"1.zip": zipped(FILES), "2.zip": b"not read at all", "3.txt.gz": gzipped(b"a\nb")}
    left_out = (("2.zip", "a test"), ("1.zip!/c.txt", "a note"))
    found = store(make_spool(tmp_path, files), out_of_scope=left_out)
    assert list(found.claims([source("1.zip!/custody/a.xml", XML)])) == [
        Claim("1.zip!/custody/b.xml", 0, 1),
        Claim("1.zip!/custody/a.xml", 1, 1, ("flow",)),
        Claim("1.zip!/c.txt", 1, 1),
        Claim("2.zip", 1, 1),
        Claim("3.txt.gz", 0, 1),
    ]


def test_one_level_is_opened(tmp_path: Path) -> None:
    """An archive in an archive is a file like any other, its own quines among them."""
    inner = zipped({"a.xml": b"<a/>"})
    outer = zipped({"inner.zip": inner, "b.xml.gz": gzipped(b"<b/>")})
    found = store(make_spool(tmp_path, {"outer.zip": outer, "x.gz": gzipped(gzipped(b"x"))}))
    assert bodies(found, "**") == [inner, gzipped(b"<b/>"), gzipped(b"x")]


def test_archives_may_be_left_closed(tmp_path: Path) -> None:
    """Then each is a file, and nothing is looked for in it."""
    files = {"1.zip": zipped(FILES), "2.gz": b"no gzip", "3.tar": b"no tar"}
    found = store(make_spool(tmp_path, files), options=(("archives", "closed"),))
    assert bodies(found, "**") == list(files.values())
    assert found.check(source("*.zip")) == []


def test_an_archive_without_files_is_a_file(tmp_path: Path) -> None:
    """Nobody loses sight of it."""
    folder = tarred({"in/": b""}, archives.of_type(tarfile.DIRTYPE))
    found = store(make_spool(tmp_path, {"1.zip": zipped({}), "2.tar": folder}))
    assert [one.name for one in found.inventory()] == ["1.zip", "2.tar"]
    assert bodies(found, "*") == [zipped({}), folder]


def test_a_glob_that_names_archives_is_told_how_to_go_in(tmp_path: Path) -> None:
    found = store(make_spool(tmp_path, {"in/1.zip": zipped(FILES)}))
    (problem,) = found.check(source("in/*.zip"))
    assert "in/*.zip!/**" in problem
    assert found.check(source("in/*.zip!/**")) == []
    assert found.check(source("in/1.zip!/custody/*.xml")) == []


def test_a_folder_named_like_an_open_archive_is_refused(tmp_path: Path) -> None:
    found = store(make_spool(tmp_path, {"1.zip": zipped(FILES), "1.zip!/other": b"x"}))
    with pytest.raises(LegacyUnreadable, match="could be one in an archive"):
        found.inventory()
    only = store(make_spool(tmp_path / "only", {"2.zip!/other": b"x"}))
    assert bodies(only, "**") == [b"x"]


@pytest.mark.parametrize(
    ("option", "about"),
    [
        (("archives", "ajar"), "archives"),
        (("max_ratio", "none"), "max_ratio"),
        (("max_members", "0"), "max_members"),
        (("max_record_bytes", "99999999999"), "max_record_bytes"),
        (("max_recordbytes", "1"), "max_recordbytes"),
        (("allow_identical", "yes"), "allow_identical"),
    ],
)
def test_check_knows_the_options(tmp_path: Path, option: tuple[str, str], about: str) -> None:
    (problem,) = store(make_spool(tmp_path, {"a": b"x"}), options=(option,)).check(source("*"))
    assert about in problem


# hostile archives: refused, by name, with a remedy

TRAVERSAL = [
    "../a",
    "/a",
    "a/../../b",
    "C:/a",
    "..\\a",
    "a//b",
    "a/./b",
    "a\nb",
    "a\x1b[2Jb",
]
REFUSED: dict[str, tuple[str, bytes, str]] = {
    **{
        f"zip name {number}": ("a.zip", zipped({name: b"x"}), "member name")
        for number, name in enumerate(TRAVERSAL)
    },
    **{
        f"tar name {number}": ("a.tar", tarred({name: b"x"}), "member name")
        for number, name in enumerate(TRAVERSAL)
        if not name.startswith("/")
    },
    "zip name with a NUL": (
        "a.zip",
        zipped({"a.bc": b"x"}).replace(b"a.bc", b"a\0bc"),
        "member name",
    ),
    "absolute tar name": ("a.tar", tarred({"/etc/x": b"x"}), "member name"),
    "tar name that is not UTF-8": (
        "a.tar",
        tarred({"caf\udce9": b"x"}, format_=tarfile.GNU_FORMAT),
        "not UTF-8",
    ),
    "zip name that lies about UTF-8": (
        "a.zip",
        archives.patched(
            zipped({"caf_": b"x"}).replace(b"caf_", b"caf\xe9"),
            (archives.LOCAL, 6, b"\0\x08"),
            (archives.CENTRAL, 8, b"\0\x08"),
        ),
        "UTF-8",
    ),
    "symbolic link in a tar": ("a.tar", tarred({"l": b""}, archives.of_type(b"2")), "a link"),
    "hard link in a tar": ("a.tar", tarred({"l": b""}, archives.of_type(b"1")), "a link"),
    "device in a tar": ("a.tar", tarred({"d": b""}, archives.of_type(b"3")), "a device"),
    "pipe in a tar": ("a.tar", tarred({"p": b""}, archives.of_type(b"6")), "a pipe"),
    "sparse file in a tar": (
        "a.tar",
        tarred({"s": b""}, archives.of_type(b"S"), tarfile.GNU_FORMAT),
        "type S",
    ),
    "link in a zip": ("a.zip", archives.linked_zip("l"), "a link"),
    "member twice in a zip": (
        "a.zip",
        zipped({"a": b"x", "b": b"y"}).replace(b"b", b"a"),
        "a twice",
    ),
    "member twice in a tar": ("a.tar", tarred([("./a", b"x"), ("a", b"y")]), "a twice"),
    "overlapping members": ("a.zip", archives.overlapping_zip(), "overlap"),
    "a folder with content": ("a.zip", zipped({"f/": b"x"}), "has content"),
    "truncated zip": ("a.zip", zipped(FILES)[:-10], "no sound zip"),
    "zip without its beginning": ("a.zip", zipped(FILES)[40:], "directory"),
    "no zip": ("a.zip", b"PK\x03\x04 and then nothing", "no sound zip"),
    "empty zip file": ("a.zip", b"", "no sound zip"),
    "truncated tar": ("a.tar", tarred({"a": b"x" * 5000})[:2000], "before its end"),
    "tar cut between members": ("a.tar", tarred({"a": b"x"})[:1024], "before its end"),
    "tar with one zero block": ("a.tar", tarred({"a": b"x"})[:1536], "before its end"),
    "two tars in one": ("a.tar", tarred({"a": b"x"}) + tarred({"b": b"y"}), "behind its end"),
    "damaged tar header": (
        "a.tar",
        tarred({"a": b"x", "b": b"y"}).replace(b"b" + bytes(20), b"c" + bytes(20)),
        "header is damaged",
    ),
    "no tar": ("a.tar", b"x" * 5000, "header is damaged"),
    "empty tar file": ("a.tar", b"", "before its end"),
    "truncated gz": ("a.xml.gz", gzipped(b"<a/>" * 1000)[:-9], "before its end"),
    "gz whose header is all there is": ("a.gz", gzipped(b"x")[:10], "before its end"),
    "empty gz file": ("a.gz", b"", "before its end"),
    "truncated tar.gz": ("a.tgz", gzipped(tarred(FILES))[:-9], "before its end"),
    "tar.gz with a broken stream": (
        "a.tgz",
        gzipped(tarred(FILES))[:30] + b"\xff" * 9 + gzipped(tarred(FILES))[39:],
        "does not unpack",
    ),
    "pax header that claims a terabyte": (
        "a.tar",
        tarred({"s": b""}, archives.of_type(b"x"))[:124]
        + b"10000000000\0"
        + tarred({"s": b""}, archives.of_type(b"x"))[136:],
        "damaged",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_hostile_archive_is_refused_by_name(
    tmp_path: Path, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a remedy, by every method; nothing is written; out_of_scope gets by."""
    name, data, why = REFUSED[case]
    spool = make_spool(tmp_path / "spool", {name: data, "b.txt": b"sound"})
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.chdir(tmp_path)
    found = store(spool)
    every = source("**", RecordSpec("text"))
    for action in (
        found.inventory,
        lambda: found.check(every),
        lambda: found.claims([every]),
        lambda: found.population(every),
        lambda: list(found.read(every)),
    ):
        with pytest.raises(LegacyUnreadable, match=why) as caught:
            action()
        assert name in caught.value.message
        assert caught.value.hint
        assert caught.value.message.isprintable()
    assert sorted(tmp_path.rglob("*")) == before
    declared = store(spool, out_of_scope=((name, "hostile"),))
    assert bodies(declared, "**", RecordSpec("text")) == [b"sound"]


def test_a_link_that_is_declared_leaves_the_others(tmp_path: Path) -> None:
    """As links beside the archive do."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        for name, kind in (("a", b"0"), ("l", b"2")):
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.size = kind, "/etc/passwd", 0
            archive.addfile(info)
    spool = make_spool(tmp_path, {"t.tar": whole.getvalue()})
    found = store(spool, out_of_scope=(("t.tar!/l", "a link"),))
    assert [one.name for one in found.inventory()] == ["t.tar!/a"]


# members that do not unpack: kept packed, quarantined

DATA = b"<b><i>sound</i></b>"
GOOD = zipped({"a.xml": DATA})
PACKED = GOOD[GOOD.index(b"a.xml") + 5 : GOOD.index(archives.CENTRAL)]
KEPT: dict[str, tuple[bytes, str, bytes]] = {
    "encrypted": (archives.encrypted_zip({"a.xml": DATA}), "encrypted", PACKED),
    "CRC": (
        archives.patched(GOOD, (archives.LOCAL, 14, b"ABCD"), (archives.CENTRAL, 16, b"ABCD")),
        "crc",
        PACKED,
    ),
    "CRC of a stored member": (
        zipped({"a.xml": DATA}, STORED).replace(b"sound", b"SOUND"),
        "crc",
        DATA.replace(b"sound", b"SOUND"),
    ),
    "size that is too small": (
        archives.patched(
            GOOD, (archives.LOCAL, 22, b"\5\0\0\0"), (archives.CENTRAL, 24, b"\5\0\0\0")
        ),
        "size",
        PACKED,
    ),
    "size that is too large": (
        archives.patched(
            GOOD, (archives.LOCAL, 22, b"\xff\0\0\0"), (archives.CENTRAL, 24, b"\xff\0\0\0")
        ),
        "size",
        PACKED,
    ),
    "headers that disagree": (
        archives.patched(GOOD, (archives.LOCAL, 22, b"\5\0\0\0")),
        "header",
        PACKED,
    ),
    "names that disagree": (GOOD.replace(b"a.xml", b"b.xml", 1), "header", PACKED),
    "method nobody knows": (
        archives.patched(GOOD, (archives.LOCAL, 8, b"\x63\0"), (archives.CENTRAL, 10, b"\x63\0")),
        "method",
        PACKED,
    ),
    "broken stream": (
        GOOD.replace(PACKED, b"\xff" * len(PACKED)),
        "deflate",
        b"\xff" * len(PACKED),
    ),
}


@pytest.mark.parametrize("case", KEPT)
@pytest.mark.parametrize("spec", [XML, FILE, RecordSpec("text")], ids=lambda spec: spec.format)
def test_a_member_that_does_not_unpack_is_kept_as_it_is_packed(
    tmp_path: Path, case: str, spec: RecordSpec
) -> None:
    """One record with a problem, whatever the format; the others of the archive are read."""
    data, place, raw = KEPT[case]
    found = store(make_spool(tmp_path, {"a.zip": data, "b.xml": DATA}))
    flow = source("**/*.xml", spec)
    population = found.population(flow)
    first, *others = read_all(found, flow, population).to_pylist()
    assert (first["body"], first["problem"], first["problem_place"]) == (
        raw,
        "record.unreadable",
        place,
    )
    assert first["charset"] is None
    assert [row["problem"] for row in others] == [None]
    assert [claim.records for claim in found.claims([flow])] == [1, 1]
    assert run_all(found, flow) == []
    assert "sound" not in str(found.inventory())


@pytest.mark.parametrize(
    ("name", "data", "place"),
    [
        ("a.gz", gzipped(b"x" * 99)[:-8] + b"ABCDEFGH", "deflate"),
        ("a.gz", gzipped(b"x") + b"garbage", "trailing"),
        ("a.gz", b"no gzip at all", "deflate"),
    ],
)
def test_a_compressed_file_that_does_not_unpack_is_kept(
    tmp_path: Path, name: str, data: bytes, place: str
) -> None:
    found = store(make_spool(tmp_path, {name: data}))
    flow = source("*", RecordSpec("text"))
    (row,) = read_all(found, flow).to_pylist()
    assert (row["body"], row["problem"], row["problem_place"]) == (data, "record.unreadable", place)
    assert run_all(found, flow) == []


def test_nobody_can_tell_whose_a_broken_member_is_that_flows_share(tmp_path: Path) -> None:
    """By record type; so it is refused, and counted as one in the inventory."""
    data = zipped({"g.csv": b"10,h\n21,a\n"}, STORED).replace(b"21,a", b"21,b")
    found = store(make_spool(tmp_path, {"a.zip": data}))
    flow = source("**", RecordSpec("csv", header=False, record_type="21"))
    for action in (lambda: found.population(flow), lambda: found.claims([flow])):
        with pytest.raises(LegacyUnreadable, match=r"g\.csv does not unpack"):
            action()
    assert [one.rows for one in found.inventory()] == [1]


# bombs

SMALL = (("max_unpacked_bytes", "1000"),)


@pytest.mark.parametrize(
    ("name", "data", "options", "why"),
    [
        ("a.gz", gzipped(b"x" * 1001), SMALL, "max_unpacked_bytes"),
        ("a.zip", zipped({"a": b"x" * 1001}), SMALL, "max_unpacked_bytes"),
        ("a.zip", zipped({str(n): b"x" * 101 for n in range(10)}), SMALL, "max_unpacked_bytes"),
        ("a.tgz", gzipped(tarred({"a": b"x"})), SMALL, "max_unpacked_bytes"),
        ("a.tar", tarred({"a": b"x" * 1001}), SMALL, "max_unpacked_bytes"),
        ("a.gz", archives.bomb(64 << 20), (), "max_ratio"),
        ("a.tgz", archives.bomb(64 << 20), (), "max_ratio"),
        (
            "a.zip",
            zipped(dict.fromkeys("abcdefghijk", b"")),
            (("max_members", "10"),),
            "max_members",
        ),
        (
            "a.tar",
            tarred(dict.fromkeys("abcdefghijk", b"")),
            (("max_members", "10"),),
            "max_members",
        ),
    ],
)
def test_bombs_are_refused(
    tmp_path: Path, name: str, data: bytes, options: tuple[tuple[str, str], ...], why: str
) -> None:
    """By size, by ratio, by number; memory stays that of a window."""
    found = store(make_spool(tmp_path, {name: data}), options=options)
    tracemalloc.start()
    with pytest.raises(LegacyUnreadable, match=why):
        list(found.read(source("**", FILE)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 24 << 20


def test_a_zip_member_with_a_false_size_is_not_unpacked_beyond_it(tmp_path: Path) -> None:
    """The directory says a byte, and the sum of what it says is bounded: kept as it is packed."""
    data = zipped({"a": bytes(32 << 20)})
    packed = data[31 : data.index(archives.CENTRAL)]
    lie = b"\1\0\0\0"
    data = archives.patched(data, (archives.LOCAL, 22, lie), (archives.CENTRAL, 24, lie))
    (row,) = read_all(store(make_spool(tmp_path, {"a.zip": data})), source("**", FILE)).to_pylist()
    assert (row["body"], row["problem_place"]) == (packed, "size")


def test_a_zip_member_is_bounded_by_its_ratio(tmp_path: Path) -> None:
    """Even where its size is true."""
    data = zipped({"a": bytes(32 << 20)})
    with pytest.raises(LegacyUnreadable, match="max_ratio"):
        list(store(make_spool(tmp_path, {"a.zip": data})).read(source("**", FILE)))


def test_a_directory_beyond_all_measure_is_not_read(tmp_path: Path) -> None:
    """Its size is looked at first."""
    data = zipped({f"{n:0100d}": b"" for n in range(20_000)})
    found = store(make_spool(tmp_path, {"a.zip": data}), options=(("max_members", "10"),))
    with pytest.raises(LegacyUnreadable, match="max_members"):
        found.inventory()


@pytest.mark.parametrize("name", ["drop.zip", "drop.tar", "drop.tar.gz"])
def test_memory_is_that_of_the_chunk_and_not_of_the_archive(tmp_path: Path, name: str) -> None:
    """A large member streams; so does the archive."""
    peaks = []
    for times in (1, 6):
        line = b"," + bytes(range(35, 127)) * 4 + b"\n"
        data = b"h\n" + b"".join(b"%08d" % n + line for n in range(4000 * times))
        files = {"a.csv": data, "b.csv": data}
        spool = packed(tmp_path / str(times), name, files)
        del files, data
        found = store(spool, batch_rows=500)
        tracemalloc.start()
        for chunk in found.read(source("in/**", RecordSpec("csv"))):
            assert chunk.table.num_rows
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 8_000_000


# inflating

texts = st.binary(max_size=300).map(lambda piece: piece * 2000)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(texts, min_size=1, max_size=4), st.data())
def test_unpacked_bytes_can_be_read_anywhere(pieces: list[bytes], data: st.DataObject) -> None:
    """In any order, as if they lay in a file."""
    plain = b"".join(pieces)
    packed = b"".join(map(gzipped, pieces))
    file = _Bytes(packed)
    inflated = Inflated(file, 0, len(packed), Limits(), gzip=True)
    assert inflated.size == len(plain)
    for _ in range(5):
        start = data.draw(st.integers(0, len(plain)))
        count = data.draw(st.integers(0, len(plain) - start))
        assert inflated.pread(file, start, count) == plain[start : start + count]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400), st.binary(max_size=40), st.integers(0, 400))
@example(b"", b"", 0)
def test_no_bytes_break_the_inflater(data: bytes, junk: bytes, at: int) -> None:
    """They unpack, or they are damaged, or refused; and whole gzip files always unpack."""
    whole = gzipped(data)
    broken = whole[:at] + junk + whole[at:]
    try:
        found = Inflated(_Bytes(broken), 0, len(broken), Limits(), gzip=True)
    except (Damaged, Refused):
        assert junk or at < len(whole)
    else:
        assert len(found.pread(_Bytes(broken), 0, found.size)) == found.size


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(sorted(PACKINGS)), st.data())
def test_damage_never_passes_for_another_content(
    tmp_path: Path, name: str, data: st.DataObject
) -> None:
    """A byte changed or cut off anywhere: an error, a problem, or what was packed. Tar has no
    checksum over contents, so there a content may change and nothing else."""
    whole = PACKINGS[name](FILES)
    at = data.draw(st.integers(0, len(whole) - 1))
    new = data.draw(st.integers(0, 255))
    cut = data.draw(st.booleans())
    broken = whole[:at] if cut else whole[:at] + bytes([new]) + whole[at + 1 :]
    spool = make_spool(tmp_path, {name: broken})
    try:
        rows = read_all(store(spool), source(f"{name}!/**", FILE)).to_pylist()
    except LegacyUnreadable:
        return
    finally:
        (spool / name).unlink()
    sound = [row["body"] for row in rows if row["problem"] is None]
    if name.endswith("tar"):
        assert [len(body) for body in sound] == [len(body) for body in FILES.values()]
    else:
        assert set(sound) <= set(FILES.values())


class _Bytes(BytesView):
    """Bytes as an open file's content."""

    name = "bytes"

    def pread(self, start: int, count: int) -> bytes:
        return self.slice(start, start + count)


# changes, controls


@pytest.mark.parametrize("name", ["drop.zip", "drop.tar.gz", "one.xml.gz"])
def test_an_archive_that_changes_is_refused(tmp_path: Path, name: str) -> None:
    """Since it was sealed, and while it is read."""
    make = PACKINGS.get(name, lambda files: gzipped(b"".join(files.values())))
    rows = {"a.txt": b"row\n" * 10, "b.txt": b"row\n" * 10}
    spool = make_spool(tmp_path, {name: make(rows)})
    flow = source("**", RecordSpec("text"))
    found = store(spool, batch_rows=3)
    population = found.population(flow)
    chunks = found.read(flow, population)
    next(chunks)
    with (spool / name).open("ab") as file:
        file.write(b"more")
    with pytest.raises(LegacyUnreadable, match=name):
        list(chunks)
    make_spool(spool, {name: make({**rows, "b.txt": b"new\n" * 10})})
    with pytest.raises(LegacyUnreadable, match="changed"):
        read_all(store(spool), flow, population)
    make_spool(spool, {name: make(rows)})
    os.utime(spool / name, ns=(0, 0))
    assert read_all(store(spool), flow, population).num_rows == 20


def run_all(found: object, flow: SourceSpec) -> list[str]:
    """The controls whose command prints something else than their value."""
    population = found.population(flow)  # type: ignore[attr-defined]
    return [
        f"{control.name}: {shell(control.query)} is not {control.value}"
        for control in population.controls
        if shell(control.query) != control.value
    ]


def shell(command: str) -> str:
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=True)
    assert done.stderr == b""
    return done.stdout.decode().strip()


SPECS = [
    FILE,
    RecordSpec("text"),
    RecordSpec("csv"),
    RecordSpec("csv", header=False, trailer=TrailerSpec("99", "2")),
    RecordSpec("jsonl"),
    RecordSpec("fixed", record_type="10"),
    RecordSpec("json", each="/*"),
    XML,
    RecordSpec("edi"),
    RecordSpec("edi", each="message"),
]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.format} {spec.each or ''}")
def test_controls_count_in_archives_by_other_means(tmp_path: Path, spec: RecordSpec) -> None:
    """Python's own zipfile, tarfile and gzip; what is out of scope is not counted."""
    files = {
        "1.x": b"10,a\r\n10,b\n99,2\n",
        "2.x": b"[1, 2, {}]",
        "3.x": b"<b><i>1</i><i/></b>",
        "4.x": b"UNB+UNOA:1+a+b+1+2'UNH+1+X'BGM+1'UNT+3+1'UNZ+1+2'",
        "5.x": "10é\n\r\n".encode("utf-16"),
        'it\'s "odd" é.x': b"",
    }
    names = {name: PACKINGS[name](files) for name in PACKINGS}
    more = {"p.x.gz": gzipped(b"10,a\n"), "q.x": b"10,q\n", "r.y": b"no", "s.zip": b"closed"}
    left_out = (("s.zip", "closed"), ("drop.tar!/2.x", "a copy"), ("stored.ZIP", "a copy"))
    found = store(make_spool(tmp_path / "it's", {**names, **more}), out_of_scope=left_out)
    flow = source("**/*.x*", spec)
    assert run_all(found, flow) == []
    population = found.population(flow)
    assert read_all(found, flow, population).num_rows == population.rows


def test_a_reference_table_may_lie_in_an_archive(tmp_path: Path) -> None:
    found = store(make_spool(tmp_path, {"ref.zip": zipped({"codes.csv": b"a,b\n1,2\n"})}))
    assert found.table("ref.zip!/codes.csv").to_pylist() == [{"a": "1", "b": "2"}]


def test_zip64_is_read(tmp_path: Path) -> None:
    """As a writer makes it that does not know the size beforehand."""
    whole = io.BytesIO()
    with (
        zipfile.ZipFile(whole, "w", DEFLATED) as archive,
        archive.open("a.xml", "w", force_zip64=True) as member,
    ):
        member.write(DATA)
    found = store(make_spool(tmp_path, {"a.zip": whole.getvalue()}))
    assert bodies(found, "**") == [DATA]
    assert run_all(found, source("**")) == []


def test_long_names_are_read(tmp_path: Path) -> None:
    """GNU's and pax's."""
    name = "/".join(["folder"] * 40) + "/é.xml"
    files = {
        "gnu.tar": tarred({name: DATA}, format_=tarfile.GNU_FORMAT),
        "pax.tar": tarred({name: DATA}, format_=tarfile.PAX_FORMAT),
    }
    found = store(make_spool(tmp_path, files))
    assert [one.name for one in found.inventory()] == [f"{tar}!/{name}" for tar in files]
    assert bodies(found, "**", XML) == [b"<i>sound</i>"] * 2
