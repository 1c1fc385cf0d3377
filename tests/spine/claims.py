"""The sample estate with bodies that are too large for a bus, and a consumer that fetches them."""

import hashlib
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq

from tests.spine.buses import Ran, Received, check_agrees, check_received, run_on
from tests.spine.estate import isb_migrate

ABOVE = 48 * 1024
BASE = "urn:isb-migrate:claim:"
SIZES = (ABOVE, ABOVE + 1, 3 * ABOVE, 2_000_000)
"""Of bodies in the store: one that still travels, and some that do not."""

Fetch = Callable[[str], bytes]
"""A body by the name of its claim, as a receiver gets it."""


def swollen(ran: Ran) -> dict[str, bytes]:
    """Make some bodies of the estate as large as that, of records that go to the archive as they
    are; those bodies by legacy id."""
    archived = {entry["legacy_id"] for entry in ran.manifest if _destinations(entry) == {"archive"}}
    bodies: dict[str, bytes] = {}
    with closing(sqlite3.connect(ran.estate / "isb.db", isolation_level=None)) as isb:
        rows = isb.execute("SELECT msg_id, payload FROM isb_message WHERE state = 'DONE'")
        for legacy_id, body in rows.fetchall():
            if legacy_id in archived and body and body.rstrip().endswith(b"</c:rec>"):
                size = SIZES[len(bodies) % len(SIZES)]
                comment = b"%07d" % len(bodies)
                padding = size - len(body) - len(comment) - len(b"<!---->")
                bodies[legacy_id] = b"%b<!--%b%b-->" % (body, comment, b"x" * padding)
        isb.executemany(
            "UPDATE isb_message SET payload = ? WHERE msg_id = ?",
            [(body, legacy_id) for legacy_id, body in bodies.items()],
        )
    assert len(bodies) > len(SIZES)
    return bodies


def _destinations(entry: Mapping[str, Sequence[Mapping[str, str]]]) -> set[str]:
    return {to["destination"] for to in entry["deliveries"]}


def run_with_large_bodies(ran: Ran) -> tuple[Ran, dict[str, bytes]]:
    """A run that agrees, and the bodies that were too large, by legacy id."""
    bodies = swollen(ran)
    done = run_on(ran)
    check_agrees(done)
    return done, bodies


def check_redeemed(
    ran: Ran, received: Sequence[Received], bodies: Mapping[str, bytes], fetch: Fetch
) -> None:
    """Nothing on the bus is larger than its limit; with what is fetched, consumers got every
    promised delivery, and the very bytes that the legacy store holds."""
    assert max(len(one.body) for one in received) == ABOVE
    whole = [redeemed(one, fetch) for one in received]
    check_received(ran, whole)
    got = {
        one.headers["ce_legacyid"]: one.body
        for one in whole
        if one.destination == "archive" and one.headers["ce_legacyid"] in bodies
    }
    assert got == bodies


def redeemed(one: Received, fetch: Fetch) -> Received:
    """A delivery with the body that it refers to, checked by what it says of it."""
    if "ce_dataref" not in one.headers:
        return one
    assert one.body == b""
    body = fetch(one.headers["ce_dataref"].removeprefix(BASE))
    assert len(body) == int(one.headers["ce_datalength"]) > ABOVE
    assert f"sha256:{hashlib.sha256(body).hexdigest()}" == one.headers["ce_datadigest"]
    return replace(one, body=body)


def from_folder(folder: Path) -> Fetch:
    """Of a store that is a folder."""
    return lambda name: (folder / name[:2] / name).read_bytes()


def named(received: Sequence[Received], legacy_id: str) -> str:
    """The name of the claim to which the archive's delivery of a record refers."""
    (found,) = [
        one.headers["ce_dataref"].removeprefix(BASE)
        for one in received
        if one.headers["ce_legacyid"] == legacy_id and one.destination == "archive"
    ]
    return found


def check_altered(ran: Ran, legacy_ids: set[str]) -> None:
    """Another look finds these messages, and nothing else: their bodies are not what they were."""
    words = ("--plan-dir", ran.estate, "--progress", "none")
    code, _ = isb_migrate("reconcile", ran.run, *words)
    assert (code, ran.summary["verdict"]) == (1, "differs")
    rows = pq.read_table(ran.run / "reconciliation" / "findings.parquet").to_pylist()
    told = {(row["kind"], row["legacy_id"], row["destination"], row["field"]) for row in rows}
    assert told == {("altered", legacy_id, "archive", "body") for legacy_id in legacy_ids}
    assert len(rows) == len(legacy_ids)
