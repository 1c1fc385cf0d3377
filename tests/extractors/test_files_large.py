"""One message of two gigabytes, in every record format: refused by a limit, in bounded memory."""

import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from migrate.core.errors import LegacyUnreadable
from migrate.core.flow import RecordSpec
from tests.extractors.archives import zipped
from tests.extractors.files_helpers import make_spool, read_all, source, store

ROOT = Path(__file__).parents[2]
HUGE = 2 << 30
MEMORY = 1900 << 20
"""Of address space, of which Python and Arrow reserve three quarters before anything is read."""

READ = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]),) * 2)
from extractors.files import FilesStore
from migrate.core.errors import LegacyUnreadable
from migrate.core.flow import RecordSpec, SourceSpec, StoreSpec
root, format_, each, *claims = sys.argv[2:]
options = (("max_record_bytes", str(16 << 20)), ("max_ratio", "2000"))
store = FilesStore(StoreSpec("spool", "files", root, options=options))
flow = SourceSpec("flow", "spool", "**", record=RecordSpec(format_, each=each or None))
try:
    print(store.claims([]) if claims else [chunk.table for chunk in store.read(flow)])
except LegacyUnreadable as error:
    print(error.message, error.hint)
"""

SPARSE = ["file", "text", "fixed", "csv", "jsonl", "json", "xml", "edi"]
GENERATED = {
    "xml element": ("xml", "/b/i", b"<b><i>", b"x", b"</i></b>"),
    "xml attribute": ("xml", "/b/i", b'<b><i a="', b"x", b'"/></b>'),
    "xml depth": ("xml", "/b/i", b"<b>", b"<i>" * 4, b""),
    "json text": ("json", "/*", b'["', b"x", b'"]'),
    "json number": ("json", "/*", b"[", b"1", b"]"),
    "json depth": ("json", "/*", b"[", b"[", b""),
    "edi segment": ("edi", "message", b"UNB+UNOA:1+A+B+1+R'UNH+1+X'FTX+", b"x", b"'UNZ+1+R'"),
    "edi segments": ("edi", "message", b"UNB+UNOA:1+A+B+1+R'UNH+1+X'", b"FTX'", b"UNZ+1+R'"),
    "csv field": ("csv", "", b'h\n"', b"x", b'"\n'),
}


def limited(spool: Path, format_: str, each: str, *more: str) -> str:
    """What a process with little memory says of reading, or of claims."""
    done = subprocess.run(
        [sys.executable, "-c", READ, str(MEMORY), str(spool), format_, each, *more],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def packed(before: bytes, middle: bytes, after: bytes) -> Iterator[bytes]:
    """Two gigabytes as a gzip file of two megabytes."""
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    piece = middle * ((1 << 20) // len(middle))
    yield packer.compress(before)
    for _ in range(HUGE >> 20):
        yield packer.compress(piece)
    yield packer.compress(after) + packer.flush()


@pytest.mark.slow
@pytest.mark.parametrize("format_", SPARSE)
def test_a_sparse_file_of_two_gigabytes_is_refused_by_the_limit(
    tmp_path: Path, format_: str
) -> None:
    """Whatever it is read as."""
    with (tmp_path / "a.csv").open("wb") as file:
        file.truncate(HUGE)
    each = {"xml": "/a/b", "json": "/*", "edi": "message"}.get(format_, "")
    refused = limited(tmp_path, format_, each)
    assert "a.csv: the record that begins at byte 0 is longer than 16,777,216 bytes" in refused
    assert "max_record_bytes" in refused


@pytest.mark.slow
@pytest.mark.parametrize("case", GENERATED)
def test_a_message_of_two_gigabytes_is_refused_by_the_limit(tmp_path: Path, case: str) -> None:
    """Sound or not, streamed out of a compressed file."""
    format_, each, *parts = GENERATED[case]
    with (tmp_path / "a.x.gz").open("wb") as file:
        file.writelines(packed(*parts))
    refused = limited(tmp_path, format_, each)
    assert "a.x.gz: the record that begins at byte" in refused


@pytest.mark.slow
def test_what_no_flow_reads_is_counted_as_one_record(tmp_path: Path) -> None:
    """However long it is: an unclaimed file is no reason to know nothing of the others."""
    with (tmp_path / "a.csv").open("wb") as file:
        file.truncate(HUGE)
    assert "claims=0, records=1" in limited(tmp_path, "file", "", "claims")


LIMIT = (("max_record_bytes", "2000000"),)
JUST = {
    "file": (RecordSpec("file"), b"", b""),
    "text": (RecordSpec("text"), b"a\n", b"\nb"),
    "jsonl": (RecordSpec("jsonl"), b"1\n", b"\n2\n"),
    "csv": (RecordSpec("csv"), b"h\n1\n", b""),
    "json": (RecordSpec("json", each="/*"), b'[1, "', b'"]'),
    "xml": (RecordSpec("xml", each="/b/i"), b"<b><i>", b"</i></b>"),
    "edi": (RecordSpec("edi", each="message"), b"UNB+UNOA:1+A+B+1+R'UNH+1'", b"'UNT+3'UNZ+1'"),
}


@pytest.mark.parametrize("format_", JUST)
def test_the_limit_is_the_length_of_a_record(tmp_path: Path, format_: str) -> None:
    """To the byte, in every format, in an archive and outside."""
    spec, before, after = JUST[format_]
    around = {"json": 2, "xml": 7, "edi": len(b"UNH+1''UNT+3'")}.get(format_, 0)
    for more in (0, 1):
        data = before + b"x" * (2_000_000 - around + more) + after
        for name, content in (("a", data), ("a.zip", zipped({"a": data}))):
            spool = make_spool(tmp_path / f"{more}{name}", {name: content})
            found = store(spool, options=LIMIT)
            if not more:
                bodies = read_all(found, source("**", spec)).column("body").to_pylist()
                assert 2_000_000 in map(len, bodies)
                continue
            with pytest.raises(LegacyUnreadable, match="longer than 2,000,000 bytes"):
                found.population(source("**", spec))
            assert len(found.inventory()) == 1


def test_headers_do_not_multiply_a_file_beyond_measure(tmp_path: Path) -> None:
    """A chunk is bounded with the headers of its records; a header record has a limit."""
    header = b"h" * 900_000
    found = store(make_spool(tmp_path, {"a.csv": header + b"\n" + b"1\n" * 20}))
    tables = [chunk.table for chunk in found.read(source("*", RecordSpec("csv")))]
    assert sum(table.num_rows for table in tables) == 20
    assert max(table.get_total_buffer_size() for table in tables) < 64 << 20
    longer = store(make_spool(tmp_path / "b", {"a.csv": header * 2 + b"\n" + b"1\n" * 20}))
    (row,) = read_all(longer, source("*", RecordSpec("csv"))).to_pylist()
    assert (row["problem"], row["problem_place"]) == ("record.unreadable", "header")


def test_bodies_of_a_segment_may_pass_what_arrow_strings_hold() -> None:
    """Bodies have 64-bit offsets; all else of a chunk is bounded in extractors.files.read."""
    from extractors.files.read import MOST
    from migrate.core.schema import LEGACY

    assert LEGACY.field("body").type == pa.large_binary()
    assert MOST < 2**31
