"""`write_sample`: the whole estate of a retiring bus, the same for the same two numbers."""

from pathlib import Path

from migrate.core.durable import private_folder
from migrate.core.errors import UsageError
from migrate.sample import custody, footwear, gazetteer, mobile, pnc
from migrate.sample.isb import IsbDatabase
from migrate.sample.manifest import Manifest
from migrate.sample.planfile import write_plan
from migrate.sample.spool import write_file, write_spool
from migrate.sample.tables import fill_tables, write_references

LEAST = 200
"""Fewer messages than this would leave no room beside the misery."""

_STORED = (custody, pnc, mobile)
_SPOOLED = (footwear, gazetteer)
_SHARES = {"custody": 34, "pnc": 24, "mobile": 20, "footwear": 12, "gazetteer": 10}
_SPECIAL = {flow.FLOW: flow.SPECIAL for flow in (*_STORED, *_SPOOLED)}


def write_sample(folder: Path, messages: int, seed: int) -> None:
    """Write an estate of exactly `messages` legacy messages, its plan and its manifest.

    The folder gets isb.db, spool/, ref/, plan.toml, maps/, manifest.jsonl and
    README.txt. Equal numbers give equal rows and equal bytes of every other
    file, on any machine. Raises UsageError for fewer than LEAST messages.
    """
    if messages < LEAST:
        raise UsageError(f"a sample estate has {LEAST} messages or more")
    counts = flow_counts(messages)
    private_folder(folder)
    manifest = Manifest(folder / "manifest.jsonl")
    _write_database(folder / "isb.db", counts, seed, manifest)
    for flow in _SPOOLED:
        batches = flow.batches(seed, counts[flow.FLOW])
        write_spool(folder / "spool", flow.FLOW, batches, manifest)
    write_file(folder / "spool" / "transfer.log", b"2018-09-30 06:00:00 transfer window closed\n")
    write_references(folder / "ref")
    write_plan(folder, manifest)
    manifest.close()


def flow_counts(messages: int) -> dict[str, int]:
    """How many messages each flow gets: its misery, and its share of what is left."""
    rest = messages - sum(_SPECIAL.values())
    ordinary = {flow: rest * share // 100 for flow, share in _SHARES.items()}
    ordinary["custody"] += rest - sum(ordinary.values())
    return {flow: _SPECIAL[flow] + number for flow, number in ordinary.items()}


def _write_database(path: Path, counts: dict[str, int], seed: int, manifest: Manifest) -> None:
    database = IsbDatabase(path)
    fill_tables(database)
    for flow in _STORED:
        database.store(flow.FLOW, flow.messages(seed, counts[flow.FLOW]), manifest)
    database.close()
