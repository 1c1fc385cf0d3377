"""What is wrong with a source, before anything is read: names, SQL, shapes."""

from collections.abc import Iterator

from extractors.sql.catalogue import Column, Table, meant
from extractors.sql.delivered import delivered_sql
from extractors.sql.dialects.base import Form
from extractors.sql.guard import wrong_condition, wrong_query
from extractors.sql.reflect import Catalogue
from extractors.sql.scan import Scan
from extractors.sql.sessions import Sessions
from extractors.sql.statement import Part, Sql, all_of
from migrate.core.errors import LegacyUnreadable
from migrate.core.flow import SourceSpec


class Checker:
    """Checks sources against one store."""

    def __init__(self, catalogue: Catalogue, sessions: Sessions, backend: str) -> None:
        self._catalogue = catalogue
        self._sessions = sessions
        self._backend = backend

    def found(self, source: SourceSpec) -> tuple[Table | None, list[str]]:
        """The source's table and what is wrong with the names and the SQL."""
        table = self._catalogue.table(source.from_)
        if table is None:
            remedy = meant(source.from_, self._catalogue.names())
            return None, [f'from: no table "{source.from_}" in the store; {remedy}']
        return table, [*_names(source, table), *self._sql(source)]

    def tried(self, scan: Scan) -> list[str]:
        """What the database itself says to the predicate and the `delivered` query."""
        impossible: list[Part] = ["1=0"]
        condition = all_of([*scan.conditions(), *impossible])
        problems = self._try("where", Sql(f"SELECT 1 FROM {scan.name} WHERE ", condition), 1)
        if problems or not scan.source.delivered:
            return problems
        statement, forms = delivered_sql(scan, [*scan.with_key(), *impossible])
        hint = "it must return the key columns, comparable with the table's, then the endpoint"
        return [f"{p}; {hint}" for p in self._try("delivered", statement, len(forms))]

    def unordered(self, scan: Scan) -> list[str]:
        """Columns that keep a table from being read, at all or without a key."""
        objects = [c for c in scan.named_columns() if scan.dialect.unreadable(c)]
        if objects:
            listed = ", ".join(f"{c.name} ({c.declared})" for c in objects)
            return [f"from: {listed} has no text; read a view that writes it as text, or leave out"]
        if scan.source.key and not scan.may_lack_key:
            return []
        names = [c.name for c in scan.table.columns if scan.dialect.unorderable(c)]
        if not names:
            return []
        return [
            f"key: {self._backend} cannot order by {', '.join(names)}; declare a key without nulls"
        ]

    def _sql(self, source: SourceSpec) -> Iterator[str]:
        if source.where and (wrong := wrong_condition(source.where, self._backend)):
            yield f"where: {wrong}; write one SQL condition over the table's columns"
        if source.delivered and not source.key:
            yield "delivered: needs a key to join by; declare key"
        if source.delivered and (wrong := wrong_query(source.delivered, self._backend)):
            yield f"delivered: {wrong}; write one SELECT of the key columns and the endpoint"

    def _try(self, key: str, statement: Sql, width: int) -> list[str]:
        try:
            with self._sessions.open() as session:
                session.fetch(statement, [Form("", "text")] * width)
        except LegacyUnreadable as error:
            return [f"{key}: {error.message}" + (f"; {error.hint}" if error.hint else "")]
        return []


def _names(source: SourceSpec, table: Table) -> Iterator[str]:
    for key, name in _named(source):
        if not table.has(name):
            remedy = meant(name, [column.name for column in table.columns])
            yield f'{key}: no column "{name}" in {source.from_}; {remedy}'


def _named(source: SourceSpec) -> Iterator[tuple[str, str]]:
    yield from (("key", name) for name in source.key)
    yield from (("order_by", name) for name in source.order_by)
    yield from ((f"columns.{segment}", name) for segment, name in source.columns)
    yield from (("headers", name) for name in source.headers)


def is_time(column: Column) -> bool:
    """Whether a column obviously says when a row was written."""
    words = ("created", "enqueued", "inserted", "put", "sent", "received", "timestamp")
    return column.kind == "time" or any(
        part in words for part in column.name.lower().replace("-", "_").split("_")
    )
