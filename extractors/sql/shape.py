"""A page of cells into a legacy segment: ids, bodies, headers, what cannot be read."""

import base64
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from extractors.segment import SegmentBuilder
from extractors.sql.cells import BYTES, NULL, TEXT, Cells, texts
from extractors.sql.scan import Scan
from migrate.core.identity import key_text, legacy_id_of_record, row_digests
from migrate.core.reasons import Reason

Page = Mapping[str, Cells]
_ROW_DOMAIN = "isb-migrate/sql-row/1"
_NEEDS_ESCAPE = r'["\\\x00-\x1f]'
_NOT_TEXT = ("body", "delivered_to", "headers")


class Shaper:
    """Shapes the pages of one read of a source."""

    def __init__(self, scan: Scan, duplicates: frozenset[str] = frozenset()) -> None:
        self._scan = scan
        self._duplicates = duplicates
        self._builder = SegmentBuilder(scan.source)

    def keyed(self, page: Page, delivered: Mapping[str, list[str]], position: int) -> pa.Table:
        """Rows with a key: the key is the id, but for rows that share theirs."""
        keys = [page[name] for name in self._scan.source.key]
        source_keys = _source_keys(keys)
        columns = self._common(page)
        columns["source_key"] = source_keys
        columns["legacy_id"] = texts(keys[0]) if len(keys) == 1 else source_keys
        if self._scan.source.delivered:
            columns["delivered_to"] = [delivered.get(key, []) for key in source_keys.to_pylist()]
        if self._duplicates:
            self._tell_apart(columns, page)
        return self._builder.build(columns, position=position)

    def keyless(self, page: Page, ids: Sequence[str], position: int) -> pa.Table:
        """Rows without a key, or with a null in it; `ids` from `record_ids`."""
        columns = self._common(page)
        columns["legacy_id"] = list(ids)
        if self._scan.source.key:
            columns["source_key"] = _source_keys([page[name] for name in self._scan.source.key])
            self._blame(columns, pa.repeat(True, len(ids)), Reason.NULL_KEY, self._key_place)
        return self._builder.build(columns, position=position)

    def record_id(self, digest: bytes, occurrence: int) -> str:
        """The id of a row without a key, told from its equals by counting."""
        return legacy_id_of_record(self._scan.source.from_, digest, occurrence)

    @property
    def _key_place(self) -> str:
        return ",".join(self._scan.source.key)

    def _common(self, page: Page) -> dict[str, Any]:
        """All columns but the ids, and what is unreadable."""
        rows = len(next(iter(page.values())))
        columns: dict[str, Any] = {
            "problem": pa.nulls(rows, pa.string()),
            "problem_place": pa.nulls(rows, pa.string()),
        }
        for segment, name in self._scan.source.columns:
            if segment not in _NOT_TEXT:
                columns[segment] = texts(page[name])
        columns.update(self._body(page))
        columns["headers"] = self._headers(page)
        for place, name in self._readable_places():
            mask = page[name].unreadable
            if mask is not None:
                self._blame(columns, mask, Reason.RECORD_UNREADABLE, place)
        return columns

    def _readable_places(self) -> list[tuple[str, str]]:
        """(place in a problem, store column) of every column that must be readable."""
        source = self._scan.source
        named = [*source.columns, *((name, name) for name in (*source.key, *source.headers))]
        if self._scan.is_row_body:
            named += [(column.name, column.name) for column in self._scan.table.columns]
        return named

    def _body(self, page: Page) -> dict[str, Any]:
        name = self._scan.source.column("body")
        if name is None:
            bodies = row_bodies([(c.name, page[c.name]) for c in self._scan.table.columns])
            return {"body": bodies, "body_kind": ["row"] * len(bodies)}
        cells = page[name]
        binary = pc.or_(pc.equal(cells.kinds, BYTES), pc.equal(cells.kinds, NULL))
        return {"body": cells.data, "body_kind": pc.if_else(binary, cells.kinds, TEXT)}

    def _headers(self, page: Page) -> list[list[dict[str, str | None]]] | None:
        names = self._scan.source.headers
        if not names:
            return None
        columns = [_header_column(name, page[name]) for name in names]
        return [list(row) for row in zip(*columns, strict=True)]

    def _blame(self, columns: dict[str, Any], mask: pa.Array, reason: Reason, place: str) -> None:
        """Set a problem where the mask holds; a key's problem goes before any other."""
        if reason is Reason.RECORD_UNREADABLE:
            mask = pc.and_(mask, pc.is_null(columns["problem"]))
        columns["problem"] = pc.if_else(mask, reason.value, columns["problem"])
        columns["problem_place"] = pc.if_else(mask, place, columns["problem_place"])

    def _tell_apart(self, columns: dict[str, Any], page: Page) -> None:
        """Mark rows on a shared key, and give each an id by its content."""
        keys = columns["source_key"].to_pylist()
        shared = [key in self._duplicates for key in keys]
        if not any(shared):
            return
        ids = columns["legacy_id"].to_pylist()
        seen: Counter[tuple[str, bytes]] = Counter()
        for row, digest in enumerate(content_digests(page).to_pylist()):
            if shared[row]:
                seen[keys[row], digest] += 1
                ids[row] = f"{ids[row]}#{digest[:8].hex()}#{seen[keys[row], digest]}"
        columns["legacy_id"] = ids
        self._blame(columns, pa.array(shared), Reason.DUPLICATE_KEY, self._key_place)


def content_digests(page: Page) -> pa.Array:
    """One SHA-256 a row over the kind and value of every cell, by order of the page's columns."""
    parts = [
        part
        for cells in page.values()
        for part in (cells.kinds.cast(pa.large_binary()), cells.data)
    ]
    return row_digests(_ROW_DOMAIN, parts)


def row_bodies(columns: Sequence[tuple[str, Cells]]) -> list[bytes]:
    """Each row as a JSON object: texts or null, binary as {"$base64": …}."""
    names = [name for name, _ in columns]
    values = [_json_values(cells) for _, cells in columns]
    return [
        json.dumps(
            dict(zip(names, row, strict=True)), ensure_ascii=False, separators=(",", ":")
        ).encode()
        for row in zip(*values, strict=True)
    ]


def _json_values(cells: Cells) -> list[Any]:
    odd = pc.equal(cells.kinds, BYTES)
    if cells.unreadable is not None:
        odd = pc.or_(odd, cells.unreadable)
    values: list[Any] = texts(cells).to_pylist()
    for row in pc.indices_nonzero(odd).to_pylist():
        values[row] = {"$base64": base64.b64encode(cells.data[row].as_py()).decode()}
    return values


def _header_column(name: str, cells: Cells) -> list[dict[str, str | None]]:
    kinds = cells.kinds.to_pylist()
    values = texts(cells).to_pylist()
    return [
        {"name": name, "type": kind, "value": _base64(cells, row) if kind == BYTES else value}
        for row, (kind, value) in enumerate(zip(kinds, values, strict=True))
    ]


def _base64(cells: Cells, row: int) -> str:
    return base64.b64encode(cells.data[row].as_py()).decode()


def _source_keys(keys: Sequence[Cells]) -> pa.Array:
    """`key_text` of every row; large_string."""
    columns = [texts(key) for key in keys]
    doubtful = [texts(key) for key in keys if not key.is_plain]
    if any(c.null_count for c in columns) or any(_needs_escape(c) for c in doubtful):
        rows = zip(*(column.to_pylist() for column in columns), strict=True)
        return pa.array([key_text(row) for row in rows], pa.large_string())
    quoted = [_around('"', column) for column in columns]
    inside = pc.binary_join_element_wise(*quoted, _large(",")) if len(quoted) > 1 else quoted[0]
    return pc.binary_join_element_wise(_large("["), inside, _large("]"), _large(""))


def _around(mark: str, column: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(_large(mark), column, _large(mark), _large(""))


def _large(text: str) -> pa.Scalar:
    return pa.scalar(text, pa.large_string())


def _needs_escape(column: pa.Array) -> bool:
    return bool(pc.any(pc.match_substring_regex(column, _NEEDS_ESCAPE)).as_py())
