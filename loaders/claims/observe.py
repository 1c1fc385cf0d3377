"""Observing with claims: the witness's own way from a reference to the body.

A claim that is missing, or is not what its reference says, is no body at all: the delivery is
there and altered. What is no reference of ours is shown as it lies.
"""

from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from loaders.claims.reference import REF, digest_of, read_reference
from migrate.core.flow import ClaimsSpec
from migrate.core.ports import ClaimStore, Sight
from migrate.core.ports import Observer as Inner
from migrate.core.schema import OBSERVED

BATCH_BYTES = 16 * 1024 * 1024
"""About how much is fetched before it is handed on."""

_HEADERS, _BODY = OBSERVED.get_field_index("headers"), OBSERVED.get_field_index("body")


class Observer:
    """A bus's observer that fetches what deliveries refer to."""

    def __init__(self, inner: Inner, store: ClaimStore, spec: ClaimsSpec) -> None:
        self._inner, self._store, self._base = inner, store, spec.base

    def positions(self) -> Mapping[str, str]:
        """The bus's own."""
        return self._inner.positions()

    def observe(self, since: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        """As the bus's own, in core.schema.OBSERVED; references give way to headers and body as
        they were before, the body null where the claim is missing or another.

        Raises CouldNotVerify where bus or store cannot be read.
        """
        for batch in self._inner.observe(since):
            yield from self._redeemed(batch)

    def sights(self, since: Mapping[str, str]) -> Mapping[str, Sight]:
        """The bus's own."""
        return self._inner.sights(since)

    def close(self) -> None:
        """Let go of both."""
        try:
            self._inner.close()
        finally:
            self._store.close()

    def _redeemed(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """The batch, in parts where much is fetched for it."""
        headers = batch.column(_HEADERS)
        told: dict[int, tuple[str, bytes | None]] = {}
        start = size = 0
        for row in pc.indices_nonzero(pc.match_substring(headers, f'"{REF}"')).to_pylist():
            redeemed = self._redeem(headers[row].as_py(), batch.column(_BODY)[row].as_py())
            if redeemed is None:
                continue
            told[row - start] = redeemed
            size += len(redeemed[1] or b"")
            if size >= BATCH_BYTES:
                yield _with(batch.slice(start, row + 1 - start), told)
                told, start, size = {}, row + 1, 0
        if start < len(batch) or not len(batch):
            yield _with(batch.slice(start), told)

    def _redeem(self, head: str | None, body: bytes | None) -> tuple[str, bytes | None] | None:
        """Headers and body behind a reference; None where there is no reference of ours."""
        reference = read_reference(self._base, head, body)
        if reference is None:
            return None
        found = self._store.get(reference.name, reference.length)
        fits = found is not None and digest_of(found) == reference.digest
        return reference.head, found if fits else None


def _with(batch: pa.RecordBatch, told: Mapping[int, tuple[str, bytes | None]]) -> pa.RecordBatch:
    """A batch with other headers and bodies in some rows."""
    if not told:
        return batch
    columns = list(batch.columns)
    for index, part in ((_HEADERS, 0), (_BODY, 1)):
        values = columns[index].to_pylist()
        for row, redeemed in told.items():
            values[row] = redeemed[part]
        columns[index] = pa.array(values, OBSERVED.field(index).type)
    return pa.RecordBatch.from_arrays(columns, schema=OBSERVED)
