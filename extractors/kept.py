"""Reading what another run quarantined: its sealed bytes are the legacy store of a replay.

The store's URL is the folder of a reconciled run. A flow's records are those
of its sealed legacy segments whose fate was `quarantined` when the run was last
reconciled, in their order. Nothing else of the run is read, and nothing of the
store it came from: what was kept is what is replayed.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from migrate.core.durable import file_digest
from migrate.core.errors import LegacyUnreadable
from migrate.core.flow import SourceSpec, StoreSpec
from migrate.core.ports import About, Chunk, Claim, Container, Control, Population
from migrate.core.runfolder import RunFolder


class KeptStore:
    """The quarantine of a run, as a legacy store; a source's `flow` names the flow it was of."""

    about = About(
        what="What another run quarantined; `isb-migrate quarantine replay` uses it by itself.",
        url="the folder of a reconciled run",
        from_="not used: records belong to the flow of the same name",
        identity="that of the store they came from",
        sees=("the sealed bytes of everything the run quarantined, in their order",),
        cannot_see=("anything else of that run, and the store the messages came from",),
        tested="The sample estate's quarantine.",
    )

    def __init__(self, spec: StoreSpec) -> None:
        self._spec = spec
        self._folder = RunFolder(Path(spec.url))
        self._segments = self._sealed_segments()
        self._positions = self._quarantined()

    def can_write(self) -> str | None:
        """None: the run folder is only read."""
        return None

    def inventory(self) -> Sequence[Container]:
        """One container a flow that has something in quarantine."""
        return [
            Container(flow, len(positions), self._bytes(flow))
            for flow, positions in sorted(self._positions.items())
        ]

    def check(self, source: SourceSpec) -> Sequence[str]:
        """A flow the run does not have is the only thing that can be wrong."""
        if source.flow in self._segments:
            return []
        return [f'run {self._folder.run_id} has no flow "{source.flow}"']

    def claims(self, sources: Sequence[SourceSpec]) -> Sequence[Claim]:
        """Every quarantined record belongs to the flow it was of."""
        claimed = Counter(source.flow for source in sources)
        return [
            Claim(flow, claimed[flow], len(positions), (flow,) if claimed[flow] else ())
            for flow, positions in sorted(self._positions.items())
        ]

    def population(self, source: SourceSpec) -> Population:
        """How many records of a flow wait in quarantine."""
        rows = len(self._positions.get(source.flow, ()))
        where = f"fate = 'quarantined' AND flow = '{source.flow}'"
        verdicts = self._folder.reconciliation / "verdicts.parquet"
        legacy = self._folder.root / "legacy" / source.flow / "*.parquet"
        return Population(
            rows,
            None,
            (
                Control("rows", f"SELECT count(*) FROM '{verdicts}' WHERE {where}", str(rows)),
                Control(
                    "body_bytes",
                    f"SELECT coalesce(sum(octet_length(body)), 0) FROM '{legacy}' WHERE position"
                    f" IN (SELECT position FROM '{verdicts}' WHERE {where})",
                    str(self._bytes(source.flow)),
                ),
            ),
        )

    def read(
        self,
        source: SourceSpec,
        population: Population | None = None,
        *,
        after: str | None = None,
        position: int = 0,
    ) -> Iterator[Chunk]:
        """The flow's quarantined records as they were sealed, numbered on from `position`."""
        done = _done(after)
        for page in self._pages(source.flow, done):
            done += page.num_rows
            numbers = pa.array(range(position, position + page.num_rows), pa.int64())
            position += page.num_rows
            at = page.schema.get_field_index("position")
            table = page.set_column(at, page.schema.field(at), numbers).combine_chunks()
            yield Chunk(table, json.dumps({"kept": done}))

    def table(self, query: str) -> pa.Table:
        """Never: reference tables are read from the stores of the plan."""
        raise LegacyUnreadable("a quarantine holds no reference tables")

    def close(self) -> None:
        """Nothing is held open."""

    def _pages(self, flow: str, skip: int) -> Iterator[pa.Table]:
        """Records behind the first `skip`, in pages within the store's limits."""
        waiting = None
        for part in self._records(flow):
            part, skip = part.slice(min(skip, len(part))), max(0, skip - len(part))
            waiting = part if waiting is None else pa.concat_tables([waiting, part])
            while (end := self._page_end(waiting)) is not None:
                yield waiting.slice(0, end)
                waiting = waiting.slice(end)
        if waiting is not None and len(waiting):
            yield waiting

    def _page_end(self, records: pa.Table) -> int | None:
        """Where the first page of these ends; None while it is not full."""
        size = 0
        for row, length in enumerate(_lengths(records)):
            size += length
            if row and (row >= self._spec.batch_rows or size > self._spec.batch_bytes):
                return row
        return None

    def _records(self, flow: str) -> Iterator[pa.Table]:
        wanted = pa.array(self._positions.get(flow, []), pa.int64())
        for batch, seal in self._segments.get(flow, []) if len(wanted) else []:
            path = self._folder.legacy(flow, batch)
            try:
                whole = file_digest(path) == seal
            except OSError:
                whole = False
            if not whole:
                raise LegacyUnreadable(
                    f"{path} is not what the run sealed", hint="restore the run folder"
                )
            table = pq.read_table(path)
            yield table.filter(pc.is_in(table.column("position"), value_set=wanted))

    def _bytes(self, flow: str) -> int:
        return sum(sum(_lengths(part)) for part in self._records(flow))

    def _sealed_segments(self) -> dict[str, list[tuple[int, str]]]:
        """By flow the batches of the run and their SHA-256, from its baseline."""
        try:
            baseline: dict[str, Any] = json.loads(self._folder.baseline.read_bytes())
            return {
                flow: [(segment["batch"], segment["sha256"]) for segment in segments]
                for flow, segments in baseline["segments"].items()
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise LegacyUnreadable(
                f"{self._folder.root} is no run folder with a sealed baseline",
                hint="name the run whose quarantine is to be replayed",
            ) from None

    def _quarantined(self) -> dict[str, list[int]]:
        """By flow the positions of what was quarantined, from the last reconciliation."""
        path = self._folder.reconciliation / "verdicts.parquet"
        try:
            verdicts = pq.read_table(
                path, columns=["flow", "position"], filters=[("fate", "=", "quarantined")]
            )
        except (OSError, pa.ArrowException):
            raise LegacyUnreadable(
                f"run {self._folder.run_id} has no verdicts",
                hint=f"isb-migrate reconcile {self._folder.run_id}",
            ) from None
        found: dict[str, list[int]] = {}
        for flow, at in zip(*(verdicts.column(n).to_pylist() for n in (0, 1)), strict=True):
            found.setdefault(flow, []).append(at)
        return found


def _lengths(records: pa.Table) -> list[int]:
    """Bytes of each body; 0 for none."""
    lengths = pc.fill_null(pc.binary_length(records.column("body")), 0)
    return list(lengths.to_pylist())


def _done(after: str | None) -> int:
    """How many records lie before a checkpoint. Raises LegacyUnreadable for a foreign one."""
    if after is None:
        return 0
    try:
        done = json.loads(after)["kept"]
    except (ValueError, KeyError, TypeError):
        done = None
    if not isinstance(done, int) or done < 0:
        raise LegacyUnreadable("that checkpoint is not one of this store")
    return done
