"""`claims`: what lies in a store, who refers to it, and what may go."""

import json
import os
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from loaders.claims import open_claims
from migrate.cli import main
from migrate.plan.load import load_plan
from tests.run.estate import Estate, write_estate

LARGE = 3_000
LONG_AGO = datetime(2026, 1, 1).timestamp()


@pytest.fixture
def estate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Estate:
    """Loaded onto an outbox in a file, whose receivers delete nothing; every body above 1 KiB of
    the twenty that have an order key is in a folder of claims."""
    monkeypatch.setenv("ISB_MIGRATE_KEYS", str(tmp_path / "keys"))
    estate = write_estate(tmp_path / "estate", messages=60)
    with closing(sqlite3.connect(tmp_path / "estate" / "isb.db", isolation_level=None)) as isb:
        for (key,) in isb.execute("SELECT id FROM message WHERE ref IS NOT NULL").fetchall():
            if key not in estate.quarantined:
                body = json.dumps({"number": key[-6:].rjust(LARGE, "1")})
                isb.execute("UPDATE message SET body = ? WHERE id = ?", (body, key))
    text = estate.plan.read_text()
    besides = 'options = { receivers = "keep" }\nclaims = { url = "claims", above = "1 KiB" }\n'
    estate.plan.write_text(text.replace('metip.db"\n', f'metip.db"\n{besides}'))
    words = ["--runs", str(tmp_path / "runs"), "--run-id", "r", "--progress", "none"]
    assert main(["run", str(estate.plan), *words]) == 0
    return estate


@pytest.fixture
def folder(estate: Estate) -> Path:
    return estate.plan.parent / "claims"


def files(folder: Path) -> dict[str, Path]:
    """Every claim in the folder, by name."""
    return {path.name: path for path in folder.rglob("*") if path.is_file()}


def referred(estate: Estate) -> Counter[str]:
    """How many deliveries refer to each claim, as plain SQL finds them."""
    with closing(sqlite3.connect(estate.plan.parent / "metip.db")) as bus:
        query = "SELECT json_extract(headers, '$.ce_dataref') FROM delivery"
        found = [value for (value,) in bus.execute(query) if value]
    return Counter(value.rpartition(":")[2] for value in found)


def told(capsys: Any, *words: object, code: int = 0) -> Any:
    """What a command prints as JSON."""
    capsys.readouterr()
    assert main(["claims", *map(str, words), "--json"]) == code
    return json.loads(capsys.readouterr().out)


def stray(estate: Estate, body: bytes, name: str = "ab" * 32) -> str:
    """Leave a claim in the store to which nothing refers."""
    with closing(open_claims(load_plan(estate.plan).bus)) as store:
        store.put({name: body})
    return name


def age(folder: Path) -> None:
    """As if nothing had been offered for long."""
    for path in files(folder).values():
        os.utime(path, (LONG_AGO, LONG_AGO))


def test_every_claim_is_listed_with_who_refers_to_it(estate: Estate, folder: Path, capsys) -> None:
    """Names, sizes and deliveries are those of the folder and the outbox; counts and bytes are
    summed by state."""
    left = stray(estate, b"x" * 5_000)
    found = told(capsys, "list", estate.plan)
    claims = {claim["claim"]: claim for claim in found["claims"]}
    assert {name: claim["bytes"] for name, claim in claims.items()} == {
        name: path.stat().st_size for name, path in files(folder).items()
    }
    counts = {name: len(claim["deliveries"]) for name, claim in claims.items()}
    assert {name: count for name, count in counts.items() if count} == referred(estate)
    assert (claims[left]["state"], counts[left]) == ("unreferenced", 0)
    one = next(claim for claim in claims.values() if len(claim["deliveries"]) == 2)
    assert {to["destination"] for to in one["deliveries"]} > {"log"}
    assert {to["run"] for to in one["deliveries"]} == {"r"}
    assert found["totals"]["unreferenced"] == {"claims": 1, "bytes": 5_000}
    assert found["totals"]["referred"]["claims"] == len(referred(estate))


def test_a_run_is_as_good_as_its_plan(estate: Estate, tmp_path: Path, capsys) -> None:
    """By id or folder; of a rehearsal it is the embedded bus with claims of its own."""
    runs = ["--runs", tmp_path / "runs"]
    assert told(capsys, "list", "r", *runs) == told(capsys, "list", estate.plan)
    assert told(capsys, "list", tmp_path / "runs" / "r") == told(capsys, "list", estate.plan)
    words = ["--runs", str(tmp_path / "runs"), "--run-id", "rehearsed", "--progress", "none"]
    assert main(["rehearse", str(estate.plan), *words]) == 0
    stray(estate, b"x" * 5_000)
    found = told(capsys, "list", "rehearsed", *runs)
    assert found["totals"].keys() == {"referred"}
    assert told(capsys, "verify", "rehearsed", *runs)["amiss"] == []


def test_only_what_nothing_refers_to(estate: Estate, folder: Path, capsys) -> None:
    """What is left of a writer that died is told apart."""
    left = stray(estate, b"x" * 5_000)
    (folder / "ab" / f".{left}.4711.tmp").write_bytes(b"cut")
    found = told(capsys, "list", estate.plan, "--unreferenced")
    assert {(claim["state"], claim["bytes"]) for claim in found["claims"]} == {
        ("unreferenced", 5_000),
        ("unfinished", 3),
    }


def test_nothing_of_a_body_is_shown(estate: Estate, capsys) -> None:
    """Neither itself nor its digest, which could be guessed."""
    for words in (["list"], ["list", "--json"], ["verify", "--json"], ["prune"]):
        assert main(["claims", words[0], str(estate.plan), *words[1:]]) == 0
    captured = capsys.readouterr()
    assert "1" * 200 not in captured.out + captured.err
    assert "sha256" not in captured.out + captured.err
    assert "referred: " in captured.err


def test_whole_claims_are_verified(estate: Estate, capsys) -> None:
    """Every reference on the bus; what nothing refers to changes nothing."""
    stray(estate, b"x" * 5_000)
    found = told(capsys, "verify", estate.plan)
    assert (found["deliveries"], found["amiss"]) == (referred(estate).total(), [])


def test_claims_that_a_receiver_could_not_redeem(estate: Estate, folder: Path, capsys) -> None:
    """Told with every delivery that refers to them; exit code 1."""
    (gone, _), (changed, _), (cut, _) = referred(estate).most_common(3)
    claims = files(folder)
    claims[gone].unlink()
    claims[changed].write_bytes(claims[changed].read_bytes().replace(b"1", b"2", 1))
    claims[cut].write_bytes(claims[cut].read_bytes()[:-1])
    found = told(capsys, "verify", estate.plan, code=1)
    states = Counter((one["claim"], one["state"]) for one in found["amiss"])
    counts = referred(estate)
    assert states == {
        (gone, "missing"): counts[gone],
        (changed, "altered"): counts[changed],
        (cut, "altered"): counts[cut],
    }
    assert all(len(one["message_id"]) == 32 for one in found["amiss"])
    assert told(capsys, "list", estate.plan)["totals"]["missing"] == {"claims": 1, "bytes": 0}


def test_a_store_that_is_away_is_no_answer(estate: Estate, folder: Path, capsys) -> None:
    """Exit code 6, and nothing is made in its place."""
    folder.rename(folder.with_name("unmounted"))
    for command in ("list", "verify", "prune"):
        assert main(["claims", command, str(estate.plan)]) == 6
    assert not folder.exists()
    assert "claim store" in capsys.readouterr().err


def test_what_nothing_needs_is_removed_when_it_is_confirmed(
    estate: Estate, folder: Path, capsys
) -> None:
    """By how many there were when they were looked at; all others stay as they are."""
    left = stray(estate, b"x" * 5_000)
    (folder / "ab" / f".{left}.4711.tmp").write_bytes(b"cut")
    age(folder)
    before = {name: path.read_bytes() for name, path in files(folder).items()}
    shown = told(capsys, "prune", estate.plan)
    assert (len(shown["claims"]), shown["removed"]) == (2, 0)
    assert main(["claims", "prune", str(estate.plan), "--delete", "3"]) == 2
    assert files(folder).keys() == before.keys()
    assert told(capsys, "prune", estate.plan, "--delete", 2)["removed"] == 2
    kept = {name: path.read_bytes() for name, path in files(folder).items()}
    assert kept == {name: before[name] for name in referred(estate)}
    assert told(capsys, "verify", estate.plan)["amiss"] == []


def test_what_was_offered_lately_stays(estate: Estate, folder: Path, capsys) -> None:
    """A run may have it under way, also where an older one had left it: offering it again is what
    a resumed run does before it publishes."""
    stray(estate, b"x" * 5_000)
    assert told(capsys, "prune", estate.plan)["claims"] == []
    age(folder)
    assert len(told(capsys, "prune", estate.plan)["claims"]) == 1
    stray(estate, b"x" * 5_000)
    assert told(capsys, "prune", estate.plan)["claims"] == []


def test_nothing_is_removed_where_an_off_ramp_is_not_seen_whole(
    estate: Estate, folder: Path, capsys
) -> None:
    """Rows of an outbox may have been taken, and their receivers not have fetched yet."""
    stray(estate, b"x" * 5_000)
    age(folder)
    text = estate.plan.read_text()
    for said in ("", 'options = { receivers = "delete" }\n'):
        estate.plan.write_text(text.replace('options = { receivers = "keep" }\n', said))
        assert main(["claims", "prune", str(estate.plan), "--delete", "1"]) == 6
        assert "not seen whole" in capsys.readouterr().err
        assert main(["claims", "verify", str(estate.plan)]) == 0
    assert len(files(folder)) == len(referred(estate)) + 1


def test_a_bus_without_a_claim_check_is_named(estate: Estate, capsys) -> None:
    """Exit code 2; so is what is neither plan nor run."""
    text = estate.plan.read_text()
    estate.plan.write_text(text.replace('claims = { url = "claims", above = "1 KiB" }\n', ""))
    assert main(["claims", "list", str(estate.plan)]) == 2
    assert "has no claim check" in capsys.readouterr().err
    assert main(["claims", "list", "nowhere"]) == 2


def test_events_in_structured_mode_refer_too(
    estate: Estate, tmp_path: Path, folder: Path, capsys
) -> None:
    """To the same claims as in binary mode, also one that somebody has spoilt: none may go."""
    wanted = referred(estate)
    text = re.sub(r"(\[offramp\.\w+\]\n)", r'\1mode = "structured"\n', estate.plan.read_text())
    text += '\n[offramp.archive]\nmode = "structured"\n'
    estate.plan.write_text(text.replace('metip.db"\n', 'events.db"\n'))
    words = ["--runs", str(tmp_path / "runs"), "--run-id", "events", "--progress", "none"]
    assert main(["run", str(estate.plan), *words]) == 0
    age(folder)
    for spoilt in (False, True):
        if spoilt:
            with closing(sqlite3.connect(tmp_path / "estate" / "events.db")) as bus, bus:
                bus.execute("UPDATE delivery SET body = CAST('{' || body AS BLOB)")
        claims = told(capsys, "list", estate.plan)["claims"]
        found = {claim["claim"]: len(claim["deliveries"]) for claim in claims}
        assert found == dict(wanted)
        assert {to["run"] for claim in claims for to in claim["deliveries"]} == {"events"}
        assert told(capsys, "prune", estate.plan)["claims"] == []


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No run of anybody else is found."""
    monkeypatch.chdir(tmp_path)
    yield
