"""The quarantine of a run: every second record of its one flow, in two segments."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from extractors.segment import build_segment
from migrate.core.durable import write_segment
from migrate.core.flow import SourceSpec, StoreSpec
from migrate.core.runfolder import RunFolder
from tests.contract.stores import Case, Estate

SOURCE = SourceSpec(flow="flow", store="store", from_="flow", columns=(("body", "payload"),))


@contextmanager
def fresh(folder: Path, bodies: Sequence[bytes]) -> Iterator[Estate]:
    """A run folder with a sealed flow of twice as many records, and verdicts over them."""
    run = RunFolder(folder)
    every = [body for kept in bodies for body in (b"replayed", kept)]
    columns = {
        "legacy_id": [f"R{number}" for number in range(len(every))],
        "body": every,
        "body_kind": ["bytes"] * len(every),
    }
    table = build_segment(SOURCE, columns)
    half = len(every) // 2
    parts = [part for part in (table.slice(0, half), table.slice(half)) if len(part)]
    segments = [
        {"batch": n, "sha256": write_segment(run.legacy("flow", n), part)}
        for n, part in enumerate(parts)
    ]
    run.baseline.write_text(json.dumps({"segments": {"flow": segments}}))
    run.reconciliation.mkdir()
    positions = range(len(every))
    verdicts = {
        "flow": pa.array(["flow"] * len(every), pa.string()),
        "position": pa.array(positions, pa.int64()),
        "fate": pa.array([("replayed", "quarantined")[n % 2] for n in positions], pa.string()),
    }
    pq.write_table(pa.table(verdicts), run.reconciliation / "verdicts.parquet")
    yield Estate(StoreSpec("store", "kept", str(folder)), SOURCE)


CASES: list[Case] = [("run", fresh, False)]
