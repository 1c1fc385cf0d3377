"""Messages into legacy segments, bounded by rows and bytes."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import pyarrow as pa

from extractors.rabbitmq.message import Told
from extractors.segment import SegmentBuilder
from migrate.core.flow import SourceSpec, StoreSpec, TimeSpec
from migrate.core.identity import key_text
from migrate.core.ports import Chunk

_COLUMNS = ("message_type", "correlation_id", "priority", "created_at")


class Record(NamedTuple):
    """A legacy message; `mark`: what its checkpoint says."""

    mark: int | str
    legacy_id: str
    source_key: str | None
    told: Told
    body: bytes


def chunks(
    source: SourceSpec, spec: StoreSpec, records: Iterable[Record], position: int
) -> Iterator[Chunk]:
    """Records as they come; a record beyond the limit of bytes is a chunk of its own."""
    times = dict(source.times) | {"created_at": TimeSpec("epoch_s")}
    builder = SegmentBuilder(replace(source, times=tuple(times.items())))
    batch: list[Record] = []
    size = 0
    for record in records:
        full = len(batch) >= spec.batch_rows or size + len(record.body) > spec.batch_bytes
        if batch and full:
            yield _chunk(source, builder, batch, position)
            position, batch, size = position + len(batch), [], 0
        batch.append(record)
        size += len(record.body)
    if batch:
        yield _chunk(source, builder, batch, position)


def _chunk(
    source: SourceSpec, builder: SegmentBuilder, batch: list[Record], position: int
) -> Chunk:
    columns: dict[str, Any] = {
        "legacy_id": [one.legacy_id for one in batch],
        "source_key": [one.source_key and key_text([one.source_key]) for one in batch],
        "body": pa.array([one.body for one in batch], pa.large_binary()),
        "headers": [
            [{"name": name, "type": kind, "value": value} for name, kind, value in one.told.headers]
            for one in batch
        ],
    }
    for name in _COLUMNS:
        columns[name] = [one.told.columns[name] for one in batch]
    for name, header in source.columns:
        columns[name] = [_value(one.told, header) for one in batch]
    table = builder.build(columns, position=position)
    return Chunk(table, json.dumps({"after": batch[-1].mark}))


def _value(told: Told, header: str) -> str | None:
    return next((value for name, _, value in told.headers if name == header), None)
