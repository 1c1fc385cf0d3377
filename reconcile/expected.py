"""The expected side: what the sealed legacy segments promise, derived again.

Written to the workbench segment by segment: fates, records as sealed, promised
deliveries with their content, pairs for the invariants. Nothing the run wrote
after its baseline is read.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from migrate.core.durable import private_folder, write_segment
from migrate.core.errors import CouldNotVerify
from migrate.core.flow import Envelope, FlowSpec
from migrate.core.identity import row_digests
from migrate.core.progress import Progress
from migrate.core.runfolder import RunFolder
from migrate.core.schema import FATE, LEGACY
from migrate.plan.seal import Segment
from migrate.transform.derive import Derived, Deriver, hold_successors
from reconcile.heads import head_texts
from reconcile.totals import Totals
from reconcile.work import CONTENT, CORRELATED, EXPECTED, SOURCE, Work

PRINT_DOMAIN = "isb-migrate/delivery/1"


@dataclass(slots=True)
class Expectation:
    """What was derived of a flow."""

    totals: Totals = field(default_factory=Totals)
    pairs: dict[str, list[Path]] = field(default_factory=dict)  # by output with invariants


class Expected:
    """Collects the expected side on a workbench, flow after flow, then `publish`."""

    def __init__(self, work: Work, run_id: str) -> None:
        self._work = work
        self._run_id = run_id
        self._fates = work.relation("fate", CORRELATED)
        self._sealed = work.relation("sealed", SOURCE)
        self._deliveries = work.relation("expected", EXPECTED)
        self._contents = work.relation("expected_content", CONTENT)

    def derive(
        self,
        flow: FlowSpec,
        segments: Iterator[pa.Table],
        envelope: Envelope,
        tables: Mapping[str, pa.Table],
        progress: Progress,
    ) -> Expectation:
        """Derive a flow's segments in order, each a table in LEGACY."""
        done = Expectation()
        blocked: frozenset[str] = frozenset()
        with Deriver(flow, envelope, tables) as deriver:
            for legacy in segments:
                derived = deriver.derive(legacy)
                derived, blocked = hold_successors(derived, legacy, blocked, flow)
                done.totals.add(legacy)
                self.add(flow, derived, legacy, _parts(deriver, flow, legacy))
                self._keep_pairs(flow, derived, done)
                progress.advance("derive again", legacy.num_rows)
        return done

    def add(
        self, flow: FlowSpec, derived: Derived, legacy: pa.Table, parts: Sequence[pa.Array]
    ) -> None:
        """Keep one derived segment; `parts`: is_request and is_reply of every legacy row."""
        self._sealed.append(source_rows(flow.name, legacy, self._sealed.rows))
        fates = derived.fates.select(FATE.names)
        for name, part in zip(("is_request", "is_reply"), parts, strict=True):
            fates = fates.append_column(name, part)
        self._fates.append(fates)
        promised, content = deliveries(derived.messages, self._run_id, self._deliveries.rows)
        self._deliveries.append(promised)
        self._contents.append(content)

    def publish(self) -> None:
        """Let queries see `fate`, `sealed`, `expected`, `expected_content`."""
        for relation in (self._fates, self._sealed, self._deliveries, self._contents):
            self._work.publish(relation.path.stem, relation)

    def _keep_pairs(self, flow: FlowSpec, derived: Derived, done: Expectation) -> None:
        for output in dict.fromkeys(invariant.output for invariant in flow.invariants):
            table = derived.pairs.get(output)
            files = done.pairs.setdefault(output, [])
            if table is not None and len(table):
                path = self._pairs_folder(flow, output) / f"{len(files):06d}.parquet"
                write_segment(path, table)
                files.append(path)

    def _pairs_folder(self, flow: FlowSpec, output: str) -> Path:
        name = hashlib.sha256(f"{flow.name}\0{output}".encode()).hexdigest()[:16]
        return private_folder(self._work.folder / "pairs" / name)


def sealed_segments(
    folder: RunFolder, flow: str, segments: Sequence[Segment]
) -> Iterator[pa.Table]:
    """A flow's legacy segments in order, each read once and checked against its digest.

    Raises CouldNotVerify for a segment that is missing or not what was sealed.
    """
    for segment in segments:
        path = folder.legacy(flow, segment.batch)
        try:
            data = path.read_bytes()
        except OSError:
            data = b""
        if hashlib.sha256(data).hexdigest() != segment.sha256:
            raise _damaged(folder, path)
        table = pq.read_table(pa.BufferReader(data))
        if table.num_rows != segment.rows:
            raise _damaged(folder, path)
        yield table.select(LEGACY.names).cast(LEGACY)


def source_rows(flow: str, legacy: pa.Table, start: int) -> pa.Table:
    """LEGACY rows as SOURCE rows, numbered from `start`."""
    rows = legacy.num_rows
    columns = {
        "row": pa.array(range(start, start + rows), pa.int64()),
        "flow": pa.repeat(flow, rows),
    }
    names = [name for name in SOURCE.names if name not in columns]
    return pa.table({**columns, **{name: legacy.column(name) for name in names}})


def deliveries(messages: pa.Table, run_id: str, start: int) -> tuple[pa.Table, pa.Table]:
    """MESSAGE rows as EXPECTED and CONTENT rows, one for each destination, from `start`."""
    lists = messages.column("deliveries").combine_chunks()
    parents = pc.list_parent_indices(lists)
    each = messages.select(
        ["flow", "position", "legacy_id", "output", "message_id", "order_key", "sequence"]
    ).take(parents)
    places = lists.flatten()
    lanes = places.field("lane")
    heads = head_texts(messages.column("attributes").take(parents).combine_chunks(), lanes, run_id)
    bodies = messages.column("body").take(parents).combine_chunks()
    promised = each.append_column("destination", places.field("destination")).append_column(
        "lane", lanes
    )
    rows = pa.array(range(start, start + len(parents)), pa.int64())
    promised = promised.append_column("row", rows).append_column(
        "print", prints(promised, heads, bodies)
    )
    return promised, pa.table({"row": rows, "head": heads, "body": bodies})


def prints(rows: pa.Table, heads: pa.Array, bodies: pa.Array) -> pa.Array:
    """One digest a delivery over its place, message id, headers and body; pa.binary(32)."""
    names = ("destination", "lane", "message_id")
    columns = [*(rows.column(name).combine_chunks() for name in names), heads, bodies]
    return row_digests(PRINT_DOMAIN, [column.cast(pa.large_binary()) for column in columns])


def _parts(deriver: Deriver, flow: FlowSpec, legacy: pa.Table) -> list[pa.Array]:
    """Whether each row is a request, and whether a reply; null in flows without pairs."""
    if flow.correlation is None:
        return [pa.nulls(legacy.num_rows, pa.bool_())] * 2
    conditions = (flow.correlation.request, flow.correlation.reply)
    return [deriver.matches(legacy, condition) for condition in conditions]


def _damaged(folder: RunFolder, path: Path) -> CouldNotVerify:
    return CouldNotVerify(
        f"{path.relative_to(folder.root)} is missing or not what was sealed",
        hint="restore it from the run's evidence or backup",
    )
