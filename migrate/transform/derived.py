"""What derive gives: fates, messages, quarantine and pairs of one batch."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from migrate.core.schema import FATE, LEGACY, QUARANTINE
from migrate.transform.facts import Facts
from migrate.transform.outcome import Account

_BESIDE_FATE = ("source_key", "body", "body_kind", "charset")


@dataclass(frozen=True, slots=True)
class Derived:
    """`fates` in core.schema.FATE, one row a legacy message, in the batch's order; `messages` in
    MESSAGE, in that order and then by output; `quarantine` in QUARANTINE; `pairs`: by name of an
    output that has invariants, the relation `pairs` of its messages."""

    fates: pa.Table
    messages: pa.Table
    quarantine: pa.Table
    pairs: dict[str, pa.Table]


def fate_table(flow: str, facts: Facts, account: Account) -> pa.Table:
    """Fates as a table in core.schema.FATE."""
    columns = {
        "flow": [flow] * account.rows,
        "position": facts.position,
        "legacy_id": facts.legacy_id,
        "fate": account.fates,
        "rule": account.rules,
        "reason": account.reasons,
        "place": account.places,
        "order_key": facts.order_key,
        "correlation_id": facts.correlation_id,
        "record_digest": facts.record_digest,
    }
    arrays = [pa.array(columns[field.name], field.type) for field in FATE]
    return pa.Table.from_arrays(arrays, schema=FATE)


def quarantine_table(fates: pa.Table, legacy: pa.Table, rows: Sequence[int]) -> pa.Table:
    """The quarantined rows of a batch with their bytes, in core.schema.QUARANTINE."""
    take = pa.array(rows, pa.int64())
    picked = fates.take(take)
    for name in _BESIDE_FATE:
        column = legacy.column(name).take(take)
        picked = picked.append_column(pa.field(name, LEGACY.field(name).type), column)
    return picked.cast(QUARANTINE)
