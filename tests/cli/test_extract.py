"""`isb-migrate extract`: a store to Parquet without a plan, resumed, verified, or refused."""

import json
import os
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from extractors import STORES
from migrate.cli import main
from migrate.core.durable import file_digest
from migrate.core.schema import LEGACY
from migrate.plan.stores import EXTRAS
from migrate.run.lock import Lock
from tests.extractors.artemis_helpers import Message, export_xml

SECRET = "sEcret-4711"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A table of 25 messages, and one that only looks like another when its name is a folder's."""
    path = tmp_path / "isb.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE message (id TEXT PRIMARY KEY, payload BLOB)")
        rows = [(f"M{n:03d}", b"body %d" % n) for n in range(25)]
        database.executemany("INSERT INTO message VALUES (?, ?)", rows)
    database.close()
    return path


def words(store: Path, out: Path, *more: str) -> list[str]:
    asked = ["--from", "message", "--key", "id", "--column", "body=payload"]
    asked += ["--limit", "batch_rows=10", "--out", str(out), "--progress", "none"]
    return ["extract", "sql", f"sqlite:///{store}", *asked, *more]


def execute(store: Path, statement: str) -> None:
    with sqlite3.connect(store) as database:
        database.execute(statement)
    database.close()


def manifest(out: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((out / "extraction.json").read_text())
    return value


def segments(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "segments.jsonl").read_text().splitlines()]


def test_a_store_becomes_sealed_segments(store: Path, tmp_path: Path, capsys) -> None:
    """Every record, in segments whose digests are written down; figures compared and said."""
    out = tmp_path / "out"
    assert main(words(store, out)) == 0
    said = capsys.readouterr().out
    assert "25 records in 3 segments" in said
    assert "as the store counted: rows 25, body_bytes 165, first_key, last_key" in said
    found = segments(out)
    assert [segment["rows"] for segment in found] == [10, 10, 5]
    assert all(file_digest(out / s["path"]) == s["sha256"] for s in found)
    table = pq.read_table([out / s["path"] for s in found])
    assert table.schema.equals(LEGACY)
    assert table.column("legacy_id").to_pylist() == [f"M{n:03d}" for n in range(25)]
    sealed = manifest(out)
    assert sealed["agrees"] is True
    assert sealed["sources"][0]["population"]["rows"] == 25


def test_what_is_written_is_its_owners_alone(store: Path, tmp_path: Path) -> None:
    """Folders 0700, files 0600."""
    out = tmp_path / "out"
    assert main(words(store, out)) == 0
    modes = {stat.S_IMODE(path.stat().st_mode) for path in out.rglob("*") if path.is_file()}
    assert modes == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (out, out / "message")} == {0o700}


def test_figures_are_json_when_asked(store: Path, tmp_path: Path, capsys) -> None:
    """A row a container; keys are compared, not shown."""
    assert main(words(store, tmp_path / "out", "--json")) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["from"], row["records"], row["agrees"]) == ("message", 25, True)
    totals = {total["name"]: total for total in row["totals"]}
    assert (totals["rows"]["store"], totals["rows"]["read"]) == ("25", "25")
    assert "store" not in totals["first_key"]


def test_a_complete_one_is_verified(store: Path, tmp_path: Path, capsys) -> None:
    """Nothing is written again; it says that it is complete."""
    out = tmp_path / "out"
    assert main(words(store, out)) == 0
    before = {path: path.stat().st_mtime_ns for path in out.rglob("[!.]*.*")}
    capsys.readouterr()
    assert main(words(store, out)) == 0
    assert "complete already" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in out.rglob("[!.]*.*")} == before


def test_a_complete_one_is_verified_without_its_store(
    store: Path, tmp_path: Path, monkeypatch, capsys
) -> None:
    """A store that is gone, or a driver that is not installed, is no fault of the segments."""
    out = tmp_path / "out"
    assert main(words(store, out)) == 0
    store.unlink()
    monkeypatch.setitem(STORES, "sql", "a_driver_that_is_not_here:Store")
    monkeypatch.setitem(EXTRAS, "a_driver_that_is_not_here", "sql")
    assert main(words(store, out)) == 0
    assert "could not be asked" in capsys.readouterr().err


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(path.read_bytes()[:-20] + bytes(20)),
    ],
    ids=["missing", "short", "changed"],
)
def test_a_segment_that_is_not_what_was_written_is_six(
    spoil: Callable[[Path], None], store: Path, tmp_path: Path, capsys
) -> None:
    """It is named, with what to do."""
    out = tmp_path / "out"
    assert main(words(store, out)) == 0
    spoil(out / "message" / "000002.parquet")
    assert main(words(store, out)) == 6
    error = capsys.readouterr().err
    assert "000002.parquet" in error and "what to do" in error


def test_a_store_that_changed_since_is_one(store: Path, tmp_path: Path, capsys) -> None:
    """The segments are whole, the store is another: both are said."""
    out = tmp_path / "out"
    assert main(words(store, out)) == 0
    execute(store, "INSERT INTO message VALUES ('M999', x'00')")
    capsys.readouterr()
    assert main(words(store, out)) == 1
    said = capsys.readouterr()
    assert "rows 25 when sealed, 26 now" in said.out
    assert "has changed since it was sealed: message" in said.err
    assert "M999" not in said.out + said.err


def test_what_comes_after_the_seal_is_not_read(store: Path, tmp_path: Path, monkeypatch) -> None:
    """An interrupted extraction goes on to what was sealed, and agrees with it."""
    out = tmp_path / "out"
    stopped(store, out, monkeypatch)
    execute(store, "INSERT INTO message VALUES ('M999', x'00')")
    assert main(words(store, out)) == 0
    assert sum(segment["rows"] for segment in segments(out)) == 25


def test_figures_that_do_not_agree_are_six(
    store: Path, tmp_path: Path, monkeypatch, capsys
) -> None:
    """A record that vanished behind the seal: sealed, read and present figures are said."""
    out = tmp_path / "out"
    stopped(store, out, monkeypatch)
    execute(store, "DELETE FROM message WHERE id = 'M020'")
    for _ in range(2):
        assert main(words(store, out)) == 6
        said = capsys.readouterr()
        assert "rows: the store counted 25, 24 read" in said.out
        assert "rows 25 when sealed, 24 now" in said.out
        assert "message" in said.err
    assert manifest(out)["agrees"] is False


def test_a_file_that_changed_behind_the_seal_is_three(tmp_path: Path, monkeypatch, capsys) -> None:
    """What was read of it is not mixed with what it holds now; the file is named."""
    from migrate.run.stop import Stop

    spool = tmp_path / "spool"
    spool.mkdir()
    for number in range(4):
        (spool / f"{number}.txt").write_text(f"body {number}")
    asked = ["extract", "files", str(spool), "--limit", "batch_rows=1"]
    asked += ["--out", str(tmp_path / "out"), "--progress", "none"]
    with monkeypatch.context() as patch:
        patch.setattr(Stop, "requested", True)
        assert main(asked) == 130
    (spool / "2.txt").write_text("body X")
    assert main(asked) == 3
    assert "2.txt changed since it was counted" in capsys.readouterr().err


def test_a_store_that_cannot_be_reached_is_three_without_its_password(
    tmp_path: Path, capsys
) -> None:
    """Nothing is sealed; what was tried is said without the secret."""
    asked = ["extract", "sql", f"mariadb+pymysql://root:{SECRET}@localhost:1/isb"]
    assert main([*asked, "--out", str(tmp_path / "out")]) == 3
    assert SECRET not in "".join(capsys.readouterr())
    assert not list((tmp_path / "out").glob("[!.]*"))


def stopped(store: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An extraction that was asked to stop behind its first segment."""
    from migrate.run.stop import Stop

    with monkeypatch.context() as patch:
        patch.setattr(Stop, "requested", True)
        assert main(words(store, out)) == 130
    assert [segment["rows"] for segment in segments(out)] == [10]


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (["--limit", "batch_rows=11"], "batch_rows"),
        (["--where", "id > 'M1'"], "where"),
        (["--option", "pool=small"], "options"),
        (["--key", "payload"], "key"),
    ],
)
def test_a_folder_of_another_extraction_is_five(
    more: list[str], named: str, store: Path, tmp_path: Path, capsys
) -> None:
    """What differs is named, and what to do."""
    out = tmp_path / "out"
    assert main(words(store, out)) == 0
    assert main(words(store, out, *more)) == 5
    error = capsys.readouterr().err
    assert f"another extraction: {named} differs" in error
    assert "--out" in error


def test_how_hard_the_store_is_worked_may_change(store: Path, tmp_path: Path, monkeypatch) -> None:
    """A resumed extraction may be slower or faster."""
    out = tmp_path / "out"
    stopped(store, out, monkeypatch)
    assert main(words(store, out, "--limit", "sessions=1", "--limit", "rows_per_s=9999")) == 0


def test_another_store_is_another_extraction(store: Path, tmp_path: Path, monkeypatch) -> None:
    """The same relative URL in another place too."""
    out = tmp_path / "out"
    monkeypatch.chdir(tmp_path)
    assert main(["extract", "sql", "sqlite:///isb.db", *words(store, out)[3:]]) == 0
    assert main(words(store, out)) == 0
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    assert main(["extract", "sql", "sqlite:///isb.db", *words(store, out)[3:]]) == 5


def test_a_folder_of_something_else_is_five(store: Path, tmp_path: Path, capsys) -> None:
    """And is left as it is."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "report.txt").write_text("mine")
    assert main(words(store, tmp_path / "out")) == 5
    assert "holds something" in capsys.readouterr().err


def test_a_folder_another_process_works_on_is_five(store: Path, tmp_path: Path) -> None:
    """Two at once would write the same segments."""
    (tmp_path / "out").mkdir()
    with Lock(tmp_path / "out" / ".lock", what="the folder"):
        assert main(words(store, tmp_path / "out")) == 5


@pytest.mark.parametrize("name", ["extraction.json", "segments.jsonl"])
def test_a_damaged_manifest_is_six(name: str, store: Path, tmp_path: Path, capsys) -> None:
    """Never taken for an empty folder."""
    out = tmp_path / "out"
    assert main(words(store, out)) == 0
    (out / name).write_text("{}\n")
    assert main(words(store, out)) == 6
    assert name in capsys.readouterr().err


def test_a_line_that_a_crash_tore_is_cut_off(store: Path, tmp_path: Path, monkeypatch) -> None:
    """Its segment is extracted again, to the same bytes."""
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    assert main(words(store, whole)) == 0
    stopped(store, torn, monkeypatch)
    with (torn / "segments.jsonl").open("a") as log:
        log.write('{"source": "message", "path": "mess')
    assert main(words(store, torn)) == 0
    assert segments(torn) == segments(whole)


@pytest.mark.filterwarnings("ignore:Query string argument")
def test_secrets_stay_outside(tmp_path: Path, store: Path, capsys) -> None:
    """Neither the URL's nor a setting's; another password is no other extraction."""
    out = tmp_path / "out"

    def ask(secret: str) -> int:
        url = f"sqlite:///{store}?password={secret}"
        more = ["--option", f"password={secret}", "--option", f"peer=amqp://u:{secret}@h/"]
        return main(["extract", "sql", url, *words(store, out)[3:], *more])

    assert ask(SECRET) == 0
    assert ask(f"{SECRET}-2") == 0
    said = capsys.readouterr()
    written = b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())
    assert SECRET not in said.out + said.err + written.decode("latin-1")


@pytest.mark.parametrize(
    "wrong", [["--limit", "rows=1"], ["--limit", "sessions=0"], ["--option", SECRET]]
)
def test_what_means_nothing_is_two(wrong: list[str], store: Path, tmp_path: Path, capsys) -> None:
    """And a setting is not printed: it may be a secret."""
    assert main(words(store, tmp_path / "out", *wrong)) == 2
    assert SECRET not in capsys.readouterr().err


def test_every_flag_is_an_environment_variable(store: Path, tmp_path: Path, monkeypatch) -> None:
    """Also those that may be given several times, and the URL, which may hold a password."""
    given = {
        "FROM": "message",
        "KEY": "id",
        "COLUMN": "body=payload",
        "LIMIT": "batch_rows=5 sessions=1",
        "OUT": str(tmp_path / "out"),
        "URL": f"sqlite:///{store}",
        "PROGRESS": "none",
    }
    for name, value in given.items():
        monkeypatch.setenv(f"ISB_MIGRATE_{name}", value)
    assert main(["extract", "sql"]) == 0
    assert len(segments(tmp_path / "out")) == 5


def test_files_are_cut_as_their_makers_wrote_them(tmp_path: Path) -> None:
    """Delimiter, quote, character set, header and record type of a CSV file."""
    (tmp_path / "spool").mkdir()
    data = "21;'a;\n\xe9'\r\n24;b\r\n21;c\r\n"
    (tmp_path / "spool" / "a.csv").write_bytes(data.encode("latin-1"))
    asked = ["extract", "files", str(tmp_path / "spool"), "--record", "csv", "--no-header"]
    asked += ["--delimiter", ";", "--quote", "'", "--charset", "latin-1", "--record-type", "21"]
    assert main([*asked, "--out", str(tmp_path / "out")]) == 0
    table = pq.read_table(tmp_path / "out" / "all" / "000001.parquet")
    assert table.column("body").to_pylist() == [b"21;'a;\n\xe9'\r\n", b"21;c\r\n"]
    assert set(table.column("charset").to_pylist()) == {"latin-1"}


def test_containers_whose_names_make_one_folder_have_two(tmp_path: Path) -> None:
    """No container overwrites another."""
    path = tmp_path / "export.xml"
    queues = ("a/b", "a_b", "A_B")
    path.write_bytes(export_xml([Message(n, b"%d" % n, queues=[queues[n % 3]]) for n in range(9)]))
    out = tmp_path / "out"
    assert main(["extract", "artemis-export", str(path), "--out", str(out)]) == 0
    folders = {one["name"]: one["from"] for one in manifest(out)["sources"]}
    assert sorted(folders.values()) == sorted(queues)
    for folder, queue in folders.items():
        table = pq.read_table(out / folder)
        assert {header["value"] for row in table["headers"].to_pylist() for header in row} == {
            queue
        }


def test_a_folder_within_the_store_is_refused(tmp_path: Path, capsys) -> None:
    """It would be read as part of it."""
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / "a.txt").write_text("a")
    asked = ["extract", "files", str(tmp_path / "spool"), "--out", str(tmp_path / "spool" / "out")]
    assert main(asked) == 2
    assert "lies within the store" in capsys.readouterr().err
    assert not (tmp_path / "spool" / "out").exists()


def test_a_full_disk_is_said_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk; with room again the same command goes on
    and gives the same bytes."""
    store = tmp_path / "isb.db"
    execute(store, "CREATE TABLE message (id TEXT PRIMARY KEY, payload BLOB)")
    for number, size in enumerate((100, 200_000, 100)):
        noise = os.urandom(size).hex()
        execute(store, f"INSERT INTO message VALUES ('M{number}', x'{noise}')")
    asked = [sys.executable, "-m", "migrate", *words(store, tmp_path / "out")]
    asked += ["--limit", "batch_rows=1"]

    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    full = subprocess.run(asked, preexec_fn=small, capture_output=True, text=True, check=False)
    assert full.returncode == 70
    assert "File too large" in full.stderr and "000002.parquet" in full.stderr
    assert "internal error" not in full.stderr
    assert [one["path"] for one in segments(tmp_path / "out")] == ["message/000001.parquet"]
    assert not [path for path in (tmp_path / "out").rglob("*") if path.name.endswith(".tmp")]
    assert subprocess.run(asked, capture_output=True, check=False).returncode == 0
    assert main([*words(store, tmp_path / "whole"), "--limit", "batch_rows=1"]) == 0
    assert segments(tmp_path / "out") == segments(tmp_path / "whole")


def test_ctrl_c_while_counting_is_130(store: Path, tmp_path: Path) -> None:
    """Nothing is sealed yet; the same command begins again. Where the tests run in the background
    of a shell, Ctrl-C is ignored from the start."""
    script = (
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from extractors.sql import SqlStore\n"
        "SqlStore.population = lambda *_: signal.raise_signal(signal.SIGINT)\n"
        "from migrate.cli import main\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    asked = words(store, tmp_path / "out")
    done = subprocess.run([sys.executable, "-c", script, *asked], capture_output=True, check=False)
    assert done.returncode == 128 + signal.SIGINT
    assert main(asked) == 0
