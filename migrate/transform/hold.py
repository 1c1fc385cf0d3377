"""Holding successors: nothing overtakes a quarantined message of its own order key."""

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from migrate.core.flow import FlowSpec
from migrate.core.reasons import Reason
from migrate.core.schema import FATE, QUARANTINE
from migrate.transform.derived import Derived, quarantine_table


def hold_successors(
    derived: Derived, legacy: pa.Table, blocked: frozenset[str], flow: FlowSpec
) -> tuple[Derived, frozenset[str]]:
    """Quarantine, as `held`, what is to be replayed behind a quarantined message of its order key.

    `derived` comes from the batch `legacy`; batches come in the order of
    their positions, `blocked` holds the order keys that earlier ones have blocked. Returns
    the batch with successors held, and the keys blocked after it. A held
    message blocks nothing of its own: its key is blocked already. Where the flow says
    `continue`, nothing is held.
    """
    if flow.after_quarantine != "hold":
        return derived, blocked
    held, blocked = _walk(derived.fates, blocked)
    return (_held(derived, legacy, held) if held else derived), blocked


def _walk(fates: pa.Table, blocked: frozenset[str]) -> tuple[list[int], frozenset[str]]:
    """The rows to hold, and the keys blocked at the end."""
    if not blocked and not _has_quarantined(fates):
        return [], blocked
    now = set(blocked)
    held: list[int] = []
    keys, kinds = fates.column("order_key").to_pylist(), fates.column("fate").to_pylist()
    for row in pc.sort_indices(fates.column("position")).to_pylist():
        if keys[row] is None:
            continue
        if kinds[row] == "quarantined":
            now.add(keys[row])
        elif kinds[row] == "replayed" and keys[row] in now:
            held.append(row)
    return sorted(held), frozenset(now)


def _has_quarantined(fates: pa.Table) -> bool:
    return bool(pc.any(pc.equal(fates.column("fate"), "quarantined"), min_count=0).as_py())


def _held(derived: Derived, legacy: pa.Table, held: list[int]) -> Derived:
    fates = _with_held(derived.fates, held)
    ids = fates.column("legacy_id").take(pa.array(held, pa.int64()))
    positions = fates.column("position").take(pa.array(held, pa.int64()))
    quarantined = [
        row for row, fate in enumerate(fates.column("fate").to_pylist()) if fate == "quarantined"
    ]
    return replace(
        derived,
        fates=fates,
        messages=_without(derived.messages, "position", positions),
        quarantine=quarantine_table(fates, legacy, quarantined).cast(QUARANTINE),
        pairs={name: _without(table, "legacy_id", ids) for name, table in derived.pairs.items()},
    )


def _with_held(fates: pa.Table, held: list[int]) -> pa.Table:
    mark = [False] * len(fates)
    for row in held:
        mark[row] = True
    marks = pa.array(mark)
    for name, value in (("fate", "quarantined"), ("reason", Reason.HELD.value)):
        place = fates.column_names.index(name)
        column = pc.if_else(marks, value, fates.column(name))
        fates = fates.set_column(place, FATE.field(name), column)
    return fates


def _without(table: pa.Table, column: str, values: pa.ChunkedArray) -> pa.Table:
    return table.filter(pc.invert(pc.is_in(table.column(column), value_set=values)))
