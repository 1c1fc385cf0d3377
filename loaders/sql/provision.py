"""Make the table `delivery` exist; a destination or lane needs nothing of its own here."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from loaders.sql.connect import (
    COLUMNS,
    COPIES,
    DELIVERY,
    NEVER_AGAIN,
    WRITER_WAITS_S,
    create_private_file,
    open_sqlite,
    open_sqlite_writer,
    server_engine,
    sqlite_file,
    sqlite_table,
)
from loaders.sql.options import receivers_of, tapped
from migrate.core.errors import BusRefused
from migrate.core.flow import BusSpec, OffRampSpec
from migrate.core.ports import Piece

PAGE_BYTES = 8_192
"""Messages of about a kilobyte fill it well: a fifth less disk than SQLite's own 4,096."""


class Provisioner:
    """Creates tables, idempotently; one of another shape is refused, never altered."""

    def __init__(self, spec: BusSpec, offramps: Mapping[str, OffRampSpec]) -> None:
        self._receivers = receivers_of(spec)
        self._tables = [DELIVERY, COPIES] if tapped(spec, offramps) else [DELIVERY]
        self._spec = spec
        self._path = sqlite_file(spec)

    def wanted(self) -> Sequence[Piece]:
        """The table, and the one of copies where an off-ramp has a tap, with their columns."""
        return [_table(table.name, COLUMNS) for table in self._tables]

    def present(self) -> Sequence[Piece]:
        """The tables as they are there; their further columns are nobody's business."""
        path = self._path
        held = self._on_server(create=False) if path is None else self._held_in_file(path)
        return [
            _table(name, (column for column in COLUMNS if column in columns))
            for name, columns in held.items()
            if columns
        ]

    def provision(self) -> None:
        """Make the bus ready. Raises BusRefused where it cannot be reached or has other tables."""
        held = self._on_server(create=True) if self._path is None else self._in_file(self._path)
        for name, columns in held.items():
            missing = [column for column in COLUMNS if column not in columns]
            if missing:
                raise BusRefused(
                    f'the table {name} of the bus "{self._spec.name}" lacks {", ".join(missing)}',
                    hint="name another database, or move that table away",
                )

    def close(self) -> None:
        """Nothing is held open."""

    def _in_file(self, path: Path) -> dict[str, set[str]]:
        rows_go = self._receivers == "delete"
        try:
            create_private_file(path)
            connection = open_sqlite_writer(path, create=True)
            with closing(connection):
                connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")  # of a new file only
                for table in self._tables:
                    here = rows_go and table is DELIVERY
                    connection.execute(sqlite_table(table.name, rows_go=here))
                if rows_go and NEVER_AGAIN not in _made_by(connection):
                    raise BusRefused(
                        f'the table delivery of the bus "{self._spec.name}" gives positions again '
                        "whose rows were deleted",
                        hint="name another file: a run makes one that does not",
                    )
                return {table.name: _columns(connection, table.name) for table in self._tables}
        except (OSError, sqlite3.Error) as error:
            raise self._refused(error) from None

    def _held_in_file(self, path: Path) -> dict[str, set[str]]:
        try:
            if not path.exists():
                return {}
            with closing(open_sqlite(path, mode="ro", waits_s=WRITER_WAITS_S)) as connection:
                return {table.name: _columns(connection, table.name) for table in self._tables}
        except (OSError, sqlite3.Error) as error:
            raise self._refused(error) from None

    def _on_server(self, *, create: bool) -> dict[str, set[str]]:
        engine = server_engine(self._spec, waits_s=WRITER_WAITS_S)
        try:
            if create:
                for table in self._tables:
                    table.metadata.create_all(engine)
            inspector = sa.inspect(engine)
            return {
                table.name: {column["name"] for column in inspector.get_columns(table.name)}
                for table in self._tables
                if inspector.has_table(table.name)
            }
        except sa.exc.SQLAlchemyError as error:
            raise self._refused(error) from None
        finally:
            engine.dispose()

    def _refused(self, error: Exception) -> BusRefused:
        return BusRefused(
            f'the bus "{self._spec.name}" cannot be made ready ({type(error).__name__})',
            hint="look at its url, whether it runs, and the account's rights",
        )


def _table(name: str, columns: Iterable[str]) -> Piece:
    return Piece("table", name, {"columns": ", ".join(columns)})


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    rows = connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
    return {str(name) for (name,) in rows}


def _made_by(connection: sqlite3.Connection) -> str:
    """The statement that made the table."""
    query = "SELECT sql FROM sqlite_master WHERE name = 'delivery'"
    return str(connection.execute(query).fetchone()[0]).upper()
