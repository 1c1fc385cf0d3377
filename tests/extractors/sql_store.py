"""Small databases for the tests of the SQL reader."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from extractors.sql import SqlStore
from migrate.core.flow import SourceSpec, StoreSpec
from migrate.core.ports import Chunk, Population
from migrate.core.schema import LEGACY
from tests import services

FLOW = SourceSpec(flow="flow", store="isb", from_="message")


def by(way: str, url: str) -> dict[str, Any]:
    """The limits of `spec` that read a server's database by `arrow`, `rows` or `odbc`."""
    if way == "odbc":
        return {"options": (("odbc", services.odbc(url)),)}
    return {"adbc": way == "arrow"}


def spec(url: str | Path, **limits: Any) -> StoreSpec:
    """A store at a URL, or at a SQLite file."""
    text = url if isinstance(url, str) else f"sqlite:///{url}"
    return StoreSpec(name="isb", kind="sql", url=text, **limits)


def flow(**named: Any) -> SourceSpec:
    """A source over the table `message`."""
    return replace(FLOW, **named)


@contextmanager
def opened(url: str | Path, **limits: Any) -> Iterator[SqlStore]:
    store = SqlStore(spec(url, **limits))
    try:
        yield store
    finally:
        store.close()


def chunks(
    url: str | Path,
    source: SourceSpec,
    population: Population | None = None,
    *,
    after: str | None = None,
    position: int = 0,
    **limits: Any,
) -> list[Chunk]:
    with opened(url, **limits) as store:
        return list(store.read(source, population, after=after, position=position))


def read(url: str | Path, source: SourceSpec, **limits: Any) -> pa.Table:
    """All records of a source as one table."""
    return whole(chunks(url, source, **limits))


def whole(found: Sequence[Chunk]) -> pa.Table:
    tables = [chunk.table for chunk in found]
    return pa.concat_tables(tables).combine_chunks() if tables else LEGACY.empty_table()


def sqlite_file(path: Path, *statements: str, rows: Iterable[tuple[object, ...]] = ()) -> Path:
    """A SQLite file made by some statements, with rows in its table `message`."""
    path.unlink(missing_ok=True)
    database = sqlite3.connect(path)
    try:
        for statement in statements:
            database.execute(statement)
        found = list(rows)
        if found:
            marks = ", ".join("?" * len(found[0]))
            database.executemany(f"INSERT INTO message VALUES ({marks})", found)
        database.commit()
    finally:
        database.close()
    return path


def run(url: str, *statements: str) -> None:
    """Statements on a server, committed."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
