"""Control totals of records as they pass by: what a plain query of the store counts."""

import json
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from migrate.core.identity import legacy_id_of_key
from migrate.core.reasons import Reason


@dataclass(slots=True)
class Totals:
    """Rows, body bytes, first and last key of a flow's records in their order."""

    rows: int = 0
    body_bytes: int = 0
    first_key: str | None = None
    last_key: str | None = None

    def add(self, legacy: pa.Table) -> None:
        """Take the next batch, in core.schema.LEGACY."""
        self.rows += legacy.num_rows
        self.body_bytes += pc.sum(pc.binary_length(legacy.column("body"))).as_py() or 0
        keys = _whole_keys(legacy)
        if len(keys):
            if self.first_key is None:
                self.first_key = _key(keys[0])
            self.last_key = _key(keys[-1])

    def value(self, control: str) -> str | None:
        """The control total of that name as text; None for one that is not counted here,
        or that has no value."""
        if control not in Totals.__slots__:
            return None
        value = getattr(self, control)
        return None if value is None else str(value)


def _whole_keys(legacy: pa.Table) -> pa.ChunkedArray:
    keys = legacy.column("source_key")
    lacking = pc.equal(pc.fill_null(legacy.column("problem"), ""), Reason.NULL_KEY.value)
    return keys.filter(pc.and_(pc.is_valid(keys), pc.invert(lacking)))


def _key(source_key: pa.Scalar) -> str:
    return legacy_id_of_key(json.loads(source_key.as_py()))
