"""Batch drops in archives, with EDI and trailers, migrated to the embedded bus."""

import csv
import json
import sqlite3
from pathlib import Path

from tests.extractors.archives import gzipped, tarred, zipped
from tests.spine.estate import Rehearsed, isb_migrate

PLAN = """
[plan]
name = "drops"
namespace = "met.drops"
environment = "rehearsal"
marking = "OFFICIAL"

[store.drops]
kind = "files"
url = "drops"
out_of_scope = { "**/*.csv#10" = "header", "**/*.csv#99" = "trailer" }

[flow.orders]
store = "drops"
from = "**/*.edi"
record = { format = "edi", each = "message", charset = "detect" }
fate = [{ rule = "kept", when = "true", fate = "archived" }]

[flow.addresses]
store = "drops"
from = "**/*.csv"
record.format = "csv"
record.header = false
record.columns = ["type", "uprn"]
record.trailer = { type = "99", count = "3", besides = ["10"] }
fate = [{ rule = "kept", when = "true", fate = "archived" }]

[flow.batches]
store = "drops"
from = "**/*.xml.gz"
record = { format = "xml", each = "/b/i" }
fate = [{ rule = "kept", when = "true", fate = "archived" }]

[bus.metip]
kind = "sql"
url = "sqlite:///metip.db"

[offramp.metip]
"""

EDI = b"UNB+UNOA:1+A+B+1+R'UNH+1+X'BGM+1'UNT+3+1'UNH+2+X'BGM+2'UNT+3+2'UNZ+2+R'"
VOLUME = b"10,h\n21,1\n21,2\n99,0,2\n"


def rehearsed(folder: Path, volume: bytes) -> tuple[int, Rehearsed]:
    """Exit code and run over drops that hold this volume."""
    estate = folder / "estate"
    drops = estate / "drops"
    drops.mkdir(parents=True)
    (drops / "1.zip").write_bytes(zipped({"in/a.edi": EDI, "in/v.csv": volume}))
    (drops / "2.tar.gz").write_bytes(gzipped(tarred({"./b.edi": EDI.replace(b"BGM+1", b"BGM+9")})))
    (drops / "3.xml.gz").write_bytes(gzipped(b"<b><i>1</i><i>2</i></b>"))
    (estate / "plan.toml").write_text(PLAN)
    words = ("--runs", folder / "runs", "--run-id", "drops", "--progress", "none")
    code, out = isb_migrate("rehearse", estate / "plan.toml", *words)
    assert code in (0, 1), out
    return code, Rehearsed(estate, folder / "runs" / "drops")


def test_drops_are_migrated_and_agree(tmp_path: Path) -> None:
    """Every member of every archive is claimed once; every record arrives, to the byte."""
    code, run = rehearsed(tmp_path, VOLUME)
    assert (code, run.summary["verdict"]) == (0, "agrees")
    flows = run.summary["flows"]
    assert {name: flow["account"]["archived"] for name, flow in flows.items()} == {
        "orders": 4,
        "addresses": 2,
        "batches": 2,
    }
    bus = sqlite3.connect(run.run / "bus.db")
    bodies = [bytes(body) for (body,) in bus.execute("SELECT body FROM delivery")]
    bus.close()
    assert b"UNH+1+X'BGM+9'UNT+3+1'" in bodies
    assert sorted(bodies)[-2:] == [b"UNH+2+X'BGM+2'UNT+3+2'"] * 2


def test_a_trailer_that_counts_more_than_there_is_differs(tmp_path: Path) -> None:
    """Whatever else agrees: the file says that a record is missing."""
    code, run = rehearsed(tmp_path, VOLUME.replace(b"99,0,2", b"99,0,3"))
    assert (code, run.summary["verdict"]) == (1, "differs")
    with (run.run / "reconciliation" / "findings.csv").open(newline="") as lines:
        (finding, *more) = csv.DictReader(lines)
    assert {one["field"] for one in (finding, *more)} <= {
        "control declared",
        "control declared (now)",
    }
    assert (finding["kind"], finding["flow"]) == ("unbalanced", "addresses")
    assert finding["expected"].startswith("3, 1 of 1")
    assert finding["observed"].startswith("2, 0 of 1")


def test_the_inventory_shows_who_claims_what_is_in_archives(tmp_path: Path) -> None:
    """Files that flows share by record type among them."""
    _, run = rehearsed(tmp_path, VOLUME)
    code, out = isb_migrate("inventory", run.estate / "plan.toml", "--json")
    assert code == 0
    rows = {row["container"]: row for row in json.loads(out)}
    assert {name: (row["records"], row["claimed by"]) for name, row in rows.items()} == {
        "1.zip!/in/a.edi": (2, "orders"),
        "1.zip!/in/v.csv": (4, "addresses"),
        "2.tar.gz!/b.edi": (2, "orders"),
        "3.xml.gz": (2, "batches"),
    }
    assert rows["1.zip!/in/v.csv"]["detail"]["charset_known"] == "valid to its last byte"
