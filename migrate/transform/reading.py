"""Payloads of many rows: bodies in, columns of `message` out, refusals by row."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from migrate.core.flow import FlowSpec
from migrate.transform.body import plain
from migrate.transform.overlay import overlays
from migrate.transform.payload import payload_reader
from migrate.transform.payload.port import Body, Found, Refused
from migrate.transform.relation import field_schema

_BODY_COLUMNS = ("body", "body_kind", "charset")


@dataclass(frozen=True, slots=True)
class Read:
    """`relation`: the rows whose payload could be read, with its fields; `kept`: which of the
    given rows these are; `refused`: the others."""

    relation: pa.Table
    kept: list[int]
    refused: dict[int, Refused]


class Payloads:
    """Reads the payloads of one flow. Raises PlanError for selectors that cannot be used."""

    def __init__(self, flow: FlowSpec) -> None:
        self._spec = flow.payload
        self._reader = payload_reader(flow.payload)
        self._overlays = overlays(flow)

    def read(self, legacy: pa.Table, relation: pa.Table) -> Read:
        """`legacy` in core.schema.LEGACY, and `relation` what `legacy_relation` makes of it."""
        layers = [overlay.over(relation) for overlay in self._overlays]
        found: list[Found] = []
        kept: list[int] = []
        refused: dict[int, Refused] = {}
        for row, body in enumerate(_bodies(legacy)):
            try:
                fields = self._reader.read(body)
                for layer in layers:
                    layer.add(row, fields)
            except Refused as problem:
                refused[row] = problem
            else:
                found.append(fields)
                kept.append(row)
        for layer in layers:
            relation = layer.laid(relation)
        if refused:
            relation = relation.take(pa.array(kept, pa.int64()))
        return Read(self._with_fields(relation, found), kept, refused)

    def missing(self, relation: pa.Table) -> dict[int, str]:
        """Rows in which a required field is absent, null or empty, with the first such field."""
        missing: dict[int, str] = {}
        for field in self._spec.fields:
            if field.required:
                for row, value in enumerate(relation.column(field.name).to_pylist()):
                    if not (any(value) if isinstance(value, list) else value):
                        missing.setdefault(row, field.name)
        return missing

    def _with_fields(self, relation: pa.Table, found: list[Found]) -> pa.Table:
        columns = iter(field_schema(self._spec))
        for number, _ in enumerate(self._spec.fields):
            for part, column in zip((0, 1), columns, strict=False):
                values = pa.array([fields[part][number] for fields in found], column.type)
                relation = relation.append_column(column, values)
        return relation


def _bodies(legacy: pa.Table) -> Iterator[Body]:
    columns = [legacy.column(name).to_pylist() for name in _BODY_COLUMNS]
    for data, kind, charset, headers in zip(*columns, _headers(legacy), strict=True):
        yield Body(data, kind, charset, headers)


def _headers(legacy: pa.Table) -> list[tuple[tuple[str, str | None], ...]]:
    """Names and values of every row's headers."""
    column = plain(legacy.column("headers"))
    if column.null_count == len(column):
        return [()] * len(column)
    structs = column.flatten()
    flat = zip(structs.field("name").to_pylist(), structs.field("value").to_pylist(), strict=True)
    return [
        tuple(next(flat) for _ in range(length or 0))
        for length in column.value_lengths().to_pylist()
    ]
