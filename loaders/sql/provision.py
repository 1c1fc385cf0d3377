"""Make the table `delivery` exist; a destination or lane needs nothing of its own here."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from loaders.sql.connect import (
    COLUMNS,
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
from loaders.sql.options import receivers_of
from migrate.core.errors import BusRefused
from migrate.core.flow import BusSpec, OffRampSpec
from migrate.core.ports import Piece

PAGE_BYTES = 8_192
"""Messages of about a kilobyte fill it well: a fifth less disk than SQLite's own 4,096."""


class Provisioner:
    """Creates the table, idempotently; a table of another shape is refused, never altered."""

    def __init__(self, spec: BusSpec, offramps: Mapping[str, OffRampSpec]) -> None:
        self._receivers = receivers_of(spec)
        self._spec = spec
        self._path = sqlite_file(spec)

    def wanted(self) -> Sequence[Piece]:
        """The one table, and the columns it needs."""
        return [_table(COLUMNS)]

    def present(self) -> Sequence[Piece]:
        """The table as it is there; its further columns are nobody's business."""
        path = self._path
        held = self._on_server(create=False) if path is None else self._held_in_file(path)
        return [_table(name for name in COLUMNS if name in held)] if held else []

    def provision(self) -> None:
        """Make the bus ready. Raises BusRefused where it cannot be reached or has another table."""
        columns = self._on_server(create=True) if self._path is None else self._in_file(self._path)
        missing = [name for name in COLUMNS if name not in columns]
        if missing:
            raise BusRefused(
                f'the table delivery of the bus "{self._spec.name}" lacks {", ".join(missing)}',
                hint="name another database, or move that table away",
            )

    def close(self) -> None:
        """Nothing is held open."""

    def _in_file(self, path: Path) -> set[str]:
        try:
            create_private_file(path)
            connection = open_sqlite_writer(path, create=True)
            with closing(connection):
                connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")  # of a new file only
                connection.execute(sqlite_table(rows_go=self._receivers == "delete"))
                if self._receivers == "delete" and NEVER_AGAIN not in _made_by(connection):
                    raise BusRefused(
                        f'the table delivery of the bus "{self._spec.name}" gives positions again '
                        "whose rows were deleted",
                        hint="name another file: a run makes one that does not",
                    )
                return _columns(connection)
        except (OSError, sqlite3.Error) as error:
            raise self._refused(error) from None

    def _held_in_file(self, path: Path) -> set[str]:
        try:
            if not path.exists():
                return set()
            with closing(open_sqlite(path, mode="ro", waits_s=WRITER_WAITS_S)) as connection:
                return _columns(connection)
        except (OSError, sqlite3.Error) as error:
            raise self._refused(error) from None

    def _on_server(self, *, create: bool) -> set[str]:
        engine = server_engine(self._spec, waits_s=WRITER_WAITS_S)
        try:
            if create:
                DELIVERY.metadata.create_all(engine)
            inspector = sa.inspect(engine)
            if not inspector.has_table(DELIVERY.name):
                return set()
            return {column["name"] for column in inspector.get_columns(DELIVERY.name)}
        except sa.exc.SQLAlchemyError as error:
            raise self._refused(error) from None
        finally:
            engine.dispose()

    def _refused(self, error: Exception) -> BusRefused:
        return BusRefused(
            f'the bus "{self._spec.name}" cannot be made ready ({type(error).__name__})',
            hint="look at its url, whether it runs, and the account's rights",
        )


def _table(columns: Iterable[str]) -> Piece:
    return Piece("table", DELIVERY.name, {"columns": ", ".join(columns)})


def _columns(connection: sqlite3.Connection) -> set[str]:
    rows = connection.execute("SELECT name FROM pragma_table_info('delivery')")
    return {str(name) for (name,) in rows}


def _made_by(connection: sqlite3.Connection) -> str:
    """The statement that made the table."""
    query = "SELECT sql FROM sqlite_master WHERE name = 'delivery'"
    return str(connection.execute(query).fetchone()[0]).upper()
