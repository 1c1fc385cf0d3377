"""What messages and fates need to know of each row of a batch, as plain lists."""

from dataclasses import dataclass

import pyarrow as pa

from migrate.core.clock import rfc3339_texts


@dataclass(slots=True)
class Facts:
    """One list a column, one entry a row; times are RFC 3339 texts."""

    position: list[int]
    legacy_id: list[str]
    order_key: list[str | None]
    correlation_id: list[str | None]
    time: list[str | None]
    expires: list[str | None]
    record_digest: list[bytes]

    @classmethod
    def of(cls, legacy: pa.Table) -> "Facts":
        """The facts of a table in core.schema.LEGACY."""
        return cls(
            position=legacy.column("position").to_pylist(),
            legacy_id=legacy.column("legacy_id").to_pylist(),
            order_key=legacy.column("order_key").to_pylist(),
            correlation_id=legacy.column("correlation_id").to_pylist(),
            time=_times(legacy, "created_at"),
            expires=_times(legacy, "expires_at"),
            record_digest=legacy.column("record_digest").to_pylist(),
        )

    def lay_over(self, relation: pa.Table, rows: list[int]) -> None:
        """Take what payload fields have filled in a relation; `rows`: the batch's row of each."""
        for mine, theirs in (
            (self.order_key, relation.column("order_key").to_pylist()),
            (self.correlation_id, relation.column("correlation_id").to_pylist()),
            (self.time, _times(relation, "created_at")),
            (self.expires, _times(relation, "expires_at")),
        ):
            for row, value in zip(rows, theirs, strict=True):
                mine[row] = value


def _times(table: pa.Table, column: str) -> list[str | None]:
    """Instants as `core.clock.rfc3339` writes them, a column at a time."""
    instants = table.column(column)
    if instants.null_count == len(instants):
        return [None] * len(instants)
    texts: list[str | None] = rfc3339_texts(instants).to_pylist()
    return texts
