"""The sample estate routes as its legacy bus did, but for what its plan declares; a planted
mistake on either side is found."""

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.spine.estate import isb_migrate


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample") / "estate"
    assert isb_migrate("sample", folder, "--messages", 1200, "--seed", 3)[0] == 0
    return folder


@pytest.fixture
def estate(written: Path, tmp_path: Path) -> Path:
    """A copy that may be tampered with."""
    shutil.copytree(written, tmp_path / "estate")
    return tmp_path / "estate"


def compared(estate: Path, *flows: str) -> tuple[int, list[dict[str, Any]]]:
    """Exit code, and the routes that deviate undeclared."""
    words = [word for flow in flows for word in ("--flow", flow)]
    plan = estate / "plan.toml"
    code, out = isb_migrate("topology", "equivalence", plan, *words, "--json", "--progress", "none")
    routes = json.loads(out)["routes"]
    open_ = [one for one in routes if one["kind"] not in ("same", "done") and not one["declared"]]
    return code, open_


def test_the_estate_is_equivalent_and_every_declaration_is_met(estate: Path) -> None:
    """Nothing undeclared, whatever its misery, and what is acknowledged is in the manifest too."""
    plan = estate / "plan.toml"
    code, out = isb_migrate("topology", "equivalence", plan, "--json", "--progress", "none")
    found = json.loads(out)
    assert (code, found["verdict"], found["edges"]["undeclared"]) == (0, "equivalent", 0)
    assert all(one["deviations"] for one in found["declared"])
    lines = (estate / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    assert sum(found["messages"].values()) == len(lines)
    delivered = sum(
        one["destination"] != "archive" for line in lines for one in json.loads(line)["deliveries"]
    )
    now = [one for one in found["routes"] if one["output"] is not None]
    assert sum(one["count"] for one in now) == delivered


def test_a_wrong_metip_route_is_found(estate: Path) -> None:
    """Replies that were MetSearch's go to mobile applications."""
    plan = estate / "plan.toml"
    text = plan.read_text(encoding="utf-8")
    reply = 'map = "maps/search_reply.sql"\nroutes = [{ to = "metsearch", lane = "express" }]'
    assert reply in text
    plan.write_text(text.replace(reply, reply.replace("metsearch", "mobile")), encoding="utf-8")
    code, open_ = compared(estate, "pnc")
    assert code == 1
    lost, new = sorted(open_, key=lambda one: str(one["kind"]))
    assert (lost["kind"], lost["endpoint"]) == ("lost", "METSEARCH")
    assert (new["kind"], new["offramp"], new["output"]) == ("new", "mobile", "reply")
    assert lost["rule"].startswith("PNC, PNC.REPLY")
    assert lost["count"] == new["count"] > 0


def test_a_wrong_legacy_rule_is_found(estate: Path) -> None:
    """The table says that events go to custody; deliveries show otherwise."""
    with sqlite3.connect(estate / "isb.db") as store:
        store.execute("UPDATE isb_route SET endpoint = 'CUSTODY' WHERE endpoint = 'MOBILE'")
    store.close()
    code, open_ = compared(estate, "mobile")
    assert code == 1
    kinds = {(one["kind"], one["endpoint"] or one["offramp"]) for one in open_}
    assert {("lost", "CUSTODY"), ("new", "mobile"), ("unruled", "MOBILE")} <= kinds
