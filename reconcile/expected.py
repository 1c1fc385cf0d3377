"""The expected side: what the sealed legacy segments promise, derived again.

Written to the workbench segment by segment: fates, records as sealed, promised
deliveries with their content, pairs for the invariants. Nothing the run wrote
after its baseline is read.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from migrate.core.durable import create_private, private_folder
from migrate.core.errors import CouldNotVerify
from migrate.core.flow import Envelope, FlowSpec
from migrate.core.identity import row_digests
from migrate.core.runfolder import RunFolder
from migrate.core.schema import FATE, LEGACY
from migrate.core.totals import Totals
from migrate.formats.expiry import Expiries
from migrate.formats.headers import head_texts
from migrate.plan.seal import Segment
from migrate.transform.derive import Derived, Deriver, hold_successors
from reconcile.work import CONTENT, CORRELATED, EXPECTED, SOURCE, Advance, Work

ROW_BITS = 40  # a flow's rows are numbered apart from all others'
RELATIONS = {
    "fate": CORRELATED,
    "sealed": SOURCE,
    "promised": EXPECTED,
    "expected_content": CONTENT,
}
PRINT_DOMAIN = "isb-migrate/delivery/1"


@dataclass(slots=True)
class Expectation:
    """What was derived of a flow. `further`: messages beyond the first of a legacy message."""

    totals: Totals = field(default_factory=Totals)
    further: int = 0
    pairs: dict[str, list[Path]] = field(default_factory=dict)  # by output with invariants


class Expected:
    """The expected side of one flow, on a workbench; `number` tells it from the other flows'."""

    def __init__(
        self, work: Work, run_id: str, number: int, expiries: Expiries | None = None
    ) -> None:
        self._expiries = expiries or Expiries()
        self._work = work
        self._run_id = run_id
        self._first_row = number << ROW_BITS
        self.relations = {
            name: work.relation(name, schema, part=number) for name, schema in RELATIONS.items()
        }
        self.found = Expectation()

    def derive(
        self,
        flow: FlowSpec,
        segments: Iterable[pa.Table],
        envelope: Envelope,
        tables: Mapping[str, pa.Table],
        advance: Advance,
    ) -> None:
        """Derive a flow's segments in order, each a table in LEGACY.

        Raises what reading and compiling raise; `discard` then.
        """
        blocked: frozenset[str] = frozenset()
        with Deriver(flow, envelope, tables) as deriver:
            for legacy in segments:
                derived = deriver.derive(legacy)
                derived, blocked = hold_successors(derived, legacy, blocked, flow)
                self.add(flow, derived, legacy, _parts(deriver, flow, legacy))
                advance(legacy.num_rows)

    def add(
        self, flow: FlowSpec, derived: Derived, legacy: pa.Table, parts: Sequence[pa.Array]
    ) -> None:
        """Keep one derived segment; `parts`: is_request and is_reply of every legacy row."""
        sealed, promises = self.relations["sealed"], self.relations["promised"]
        sealed.append(source_rows(flow.name, legacy, self._first_row + sealed.rows))
        fates = derived.fates.select(FATE.names)
        for name, part in zip(("is_request", "is_reply"), parts, strict=True):
            fates = fates.append_column(name, part)
        self.relations["fate"].append(fates)
        messages = derived.messages
        first = self._first_row + promises.rows
        promised, content = deliveries(messages, self._run_id, first, self._expiries)
        promises.append(promised)
        self.relations["expected_content"].append(content)
        self.found.totals.add(legacy)
        self.found.further += messages.num_rows - pc.count_distinct(messages["position"]).as_py()
        self._keep_pairs(flow, derived)

    def discard(self) -> None:
        """Forget this flow: it could not be derived whole."""
        for relation in self.relations.values():
            relation.close()

    def _keep_pairs(self, flow: FlowSpec, derived: Derived) -> None:
        for output in dict.fromkeys(invariant.output for invariant in flow.invariants):
            table = derived.pairs.get(output)
            files = self.found.pairs.setdefault(output, [])
            if table is not None and len(table):
                path = self._pairs_folder(flow, output) / f"{len(files):06d}.parquet"
                with create_private(path) as out:
                    pq.write_table(table, out, compression="lz4")
                files.append(path)

    def _pairs_folder(self, flow: FlowSpec, output: str) -> Path:
        name = hashlib.sha256(f"{flow.name}\0{output}".encode()).hexdigest()[:16]
        return private_folder(self._work.folder / "pairs" / name)


def publish(work: Work, sides: Sequence[Expected]) -> None:
    """Let queries see `fate`, `sealed`, `promised`, `expected_content` of all these flows."""
    for name, schema in RELATIONS.items():
        parts = [side.relations[name] for side in sides] or [work.relation(name, schema)]
        work.publish(name, *parts)


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


def deliveries(
    messages: pa.Table, run_id: str, start: int, expiries: Expiries
) -> tuple[pa.Table, pa.Table]:
    """MESSAGE rows as EXPECTED and CONTENT rows, one for each destination, from `start`."""
    lists = messages.column("deliveries").combine_chunks()
    parents = pc.list_parent_indices(lists)
    each = messages.select(
        ["flow", "position", "legacy_id", "output", "message_id", "order_key", "sequence"]
    ).take(parents)
    places = lists.flatten()
    lanes = places.field("lane")
    envelopes = messages.column("attributes").take(parents).combine_chunks()
    envelopes = expiries.applied(envelopes, places.field("destination").to_pylist())
    heads = head_texts(envelopes, lanes, run_id)
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
