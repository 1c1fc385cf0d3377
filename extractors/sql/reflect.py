"""Which tables a database has, their columns, and what it keeps unique by itself.

SQLite is asked through our own session: a second library that opens and
closes the same file in one process would drop the first one's locks.
Everything else is asked through SQLAlchemy's inspector; where a dialect casts
to a type, or tells types apart that SQLAlchemy does not, their names come from
the database's own catalogue.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import types as sat

from extractors.sql.catalogue import Column, Kind, Table
from extractors.sql.connect import Server
from extractors.sql.dialects.base import Form
from extractors.sql.errors import translated
from extractors.sql.sessions import Session, Sessions
from extractors.sql.statement import Bound, Sql

_SMALL: frozenset[Kind] = frozenset({"integer", "decimal", "real", "boolean", "time"})


class Catalogue:
    """What is in a store; asked once, when first wanted."""

    def __init__(self, server: Server, sessions: Sessions) -> None:
        self._server = server
        self._sessions = sessions
        self._schema = server.spec.schema
        self._known: dict[str, Table | None] = {}
        self._names: list[str] | None = None

    def names(self) -> list[str]:
        """The base tables of the store's schema, sorted; no views."""
        if self._names is None:
            self._names = sorted(self._find_names())
        return self._names

    def table(self, name: str) -> Table | None:
        """A table or view by its name in the plan: `name`, or `schema.name` of another schema."""
        if name not in self._known:
            self._known[name] = self._find(name, self._schema) or self._find_elsewhere(name)
        return self._known[name]

    def _find_elsewhere(self, name: str) -> Table | None:
        schema, dot, rest = name.partition(".")
        return self._find(rest, schema) if dot and self._server.backend != "sqlite" else None

    def _find_names(self) -> list[str]:
        if self._server.backend == "sqlite":
            with self._sessions.open() as session:
                return [row[0] for row in _rows(session, _SQLITE_TABLES, 1)]
        with self._inspector() as inspector:
            names = set(inspector.get_table_names(schema=self._schema))
        return list(names - self._partitions())

    def _partitions(self) -> set[str]:
        """Tables whose rows are those of a partitioned one, which is listed too."""
        asked = self._server.dialect.partitions(self._schema)
        if asked is None:
            return set()
        with self._sessions.open() as session:
            return {row[0] for row in _rows(session, asked, 1)}

    def _find(self, name: str, schema: str | None) -> Table | None:
        if self._server.backend == "sqlite":
            with self._sessions.open() as session:
                return _sqlite_table(session, name)
        return self._inspect(name, schema, name if schema == self._schema else f"{schema}.{name}")

    def _inspect(self, name: str, schema: str | None, label: str) -> Table | None:
        with self._inspector() as inspector:
            if not inspector.has_table(name, schema=schema):
                return None
            declared = self._declared(name, schema)
            columns = tuple(
                _column(found, self._server, declared.get(found["name"]))
                for found in inspector.get_columns(name, schema=schema)
            )
            return Table(name, label, columns, schema, tuple(_unique(inspector, name, schema)))

    def _declared(self, name: str, schema: str | None) -> dict[str, str]:
        """The types as the database writes them, where they are cast to or told apart by."""
        asked = self._server.dialect.declared(name, schema)
        if asked is None:
            return {}
        with self._sessions.open() as session:
            found = list(_rows(session, asked, 2))
        return {self._server.dialect.plain_name(row[0]): row[1] for row in found}

    @contextmanager
    def _inspector(self) -> Iterator[sa.Inspector]:
        """SQLAlchemy's; it need not warn of types it does not know, they are read as text."""
        name = self._server.spec.name
        with translated(name), warnings.catch_warnings(), self._server.engine.connect() as found:
            warnings.simplefilter("ignore", sa.exc.SAWarning)
            yield sa.inspect(found)


_SQLITE_TABLES = Sql(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
)


def _rows(session: Session, statement: Sql, width: int) -> Iterator[tuple[str, ...]]:
    """Small results as texts."""
    arrays = session.fetch(statement, [Form("", "text")] * width)
    columns = [array.to_pylist() for array in arrays]
    for row in zip(*columns, strict=True):
        yield tuple("" if value is None else value.decode() for value in row)


def _sqlite_table(session: Session, name: str) -> Table | None:
    asked = Sql(
        'SELECT name, type, CAST("notnull" AS TEXT), CAST(pk AS TEXT) FROM pragma_table_xinfo(',
        Bound(name),
        ") WHERE hidden <> 1",
    )
    found = list(_rows(session, asked, 4))
    if not found:
        return None
    key = [row for row in found if row[3] != "0"]
    collated = _is_collated(session, name)
    alias = key[0][0] if len(key) == 1 and key[0][1].upper() == "INTEGER" else None
    columns = tuple(
        Column(
            name=column,
            kind=_affinity(declared),
            declared=declared.upper(),
            nullable=not (notnull == "1" or column == alias),
            small=column == alias,
            collated=collated and column != alias,
        )
        for column, declared, notnull, _ in found
    )
    unique = list(_sqlite_unique(session, name))
    if alias:
        unique.append(frozenset({alias}))
    typed = {column.name for column in columns if column.kind not in ("any", "bytes")}
    return Table(name, name, columns, None, tuple(names for names in unique if names <= typed))


def _is_collated(session: Session, name: str) -> bool:
    """Whether the declaration mentions a collation; a view's columns may have any."""
    asked = Sql("SELECT type, sql FROM sqlite_master WHERE name = ", Bound(name))
    return any(kind == "view" or "COLLATE" in sql.upper() for kind, sql in _rows(session, asked, 2))


def _sqlite_unique(session: Session, name: str) -> Iterator[frozenset[str]]:
    """Column sets of whole unique indexes; of expressions the name is null, here empty."""
    asked = Sql(
        "SELECT i.name, c.name FROM pragma_index_list(",
        Bound(name),
        ') i, pragma_index_info(i.name) c WHERE i."unique" = 1 AND i.partial = 0',
    )
    found: dict[str, set[str]] = {}
    for index, column in _rows(session, asked, 2):
        found.setdefault(index, set()).add(column)
    for columns in found.values():
        if "" not in columns:
            yield frozenset(columns)


def _affinity(declared: str) -> Kind:
    """SQLite's rules of column affinity (datatype3, section 3.1)."""
    upper = declared.upper()
    if "INT" in upper:
        return "integer"
    if any(word in upper for word in ("CHAR", "CLOB", "TEXT")):
        return "text"
    if not upper:
        return "any"
    if "BLOB" in upper:
        return "bytes"
    return "real" if any(word in upper for word in ("REAL", "FLOA", "DOUB")) else "decimal"


def _column(found: Any, server: Server, declared: str | None) -> Column:
    declared = declared or _name_of(found["type"], server.engine.dialect)
    kind = server.dialect.kind(declared) or _kind(found["type"])
    return Column(
        name=found["name"],
        kind=kind,
        declared=declared,
        nullable=bool(found.get("nullable", True)),
        small=kind in _SMALL or isinstance(found["type"], sat.Uuid),
    )


def _kind(declared: Any) -> Kind:
    for family, kind in _FAMILIES:
        if isinstance(declared, family):
            return kind
    return "any"


_FAMILIES: tuple[tuple[Any, Kind], ...] = (
    (sat.Boolean, "boolean"),
    (sat.Integer, "integer"),
    (sat.Float, "real"),
    (sat.Numeric, "decimal"),
    (sat.LargeBinary, "bytes"),
    (sat._Binary, "bytes"),
    ((sat.DateTime, sat.Date, sat.Time, sat.Interval), "time"),
    (sat.JSON, "json"),
    ((sat.String, sat.Uuid), "text"),
)


def _name_of(declared: Any, dialect: sa.Dialect) -> str:
    try:
        return str(declared.compile(dialect=dialect)).upper()
    except sa.exc.SQLAlchemyError:
        return ""


def _unique(inspector: sa.Inspector, name: str, schema: str | None) -> Iterator[frozenset[str]]:
    """Sets of columns behind a primary key, unique constraint or whole unique index."""
    key = inspector.get_pk_constraint(name, schema=schema).get("constrained_columns") or []
    if key:
        yield frozenset(key)
    for index in inspector.get_indexes(name, schema=schema):
        options = index.get("dialect_options", {})
        partial = any(option.endswith("_where") for option in options)
        columns = index.get("column_names", [])
        if index.get("unique") and not partial and columns and None not in columns:
            yield frozenset(column for column in columns if column)
