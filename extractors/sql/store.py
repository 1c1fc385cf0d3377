"""The legacy store behind any SQLAlchemy URL."""

from collections.abc import Iterator, Sequence

import pyarrow as pa

from extractors.sql import account
from extractors.sql.about import ABOUT
from extractors.sql.catalogue import Table
from extractors.sql.check import Checker
from extractors.sql.connect import Server
from extractors.sql.guard import wrong_query
from extractors.sql.read import Reader
from extractors.sql.reference import reference_table
from extractors.sql.reflect import Catalogue
from extractors.sql.rights import can_write
from extractors.sql.scan import Scan
from extractors.sql.sessions import Sessions
from migrate.core.errors import LegacyUnreadable
from migrate.core.flow import SourceSpec, StoreSpec
from migrate.core.ports import Chunk, Claim, Container, Population


class SqlStore:
    """A database read through read-only sessions; nothing is connected before it is wanted.

    Raises LegacyUnreadable for whatever the database will not do, and
    MissingExtra where the driver of its URL is not installed.
    """

    about = ABOUT

    def __init__(self, spec: StoreSpec) -> None:
        self._spec = spec
        self._server = Server(spec)
        self._sessions = Sessions(self._server)
        self._catalogue = Catalogue(self._server, self._sessions)
        self._checker = Checker(self._catalogue, self._sessions, self._server.backend)

    def can_write(self) -> str | None:
        """How this account could change the store; SQLite files are opened read-only: None."""
        with self._sessions.open() as session:
            return can_write(session, self._server)

    def inventory(self) -> Sequence[Container]:
        """Every table: rows, bytes of all its text and binary columns, oldest and newest."""
        tables = self._tables()
        with self._sessions.open() as session:
            return list(account.containers(session, self._server.dialect, tables))

    def check(self, source: SourceSpec) -> Sequence[str]:
        """What is wrong with a source, each with its key in the plan and a remedy."""
        table, problems = self._checker.found(source)
        if table is None or problems:
            return problems
        scan = Scan(self._server.dialect, table, source)
        return [*self._checker.unordered(scan), *self._checker.tried(scan)]

    def claims(self, sources: Sequence[SourceSpec]) -> Sequence[Claim]:
        """Every table's records by how many flows claim them; see account.claims."""
        scans = [self._scan(source) for source in sources]
        tables = {table.label: table for table in self._tables()}
        tables.update({scan.table.label: scan.table for scan in scans})
        with self._sessions.open() as session:
            dialect, scope = self._server.dialect, self._spec.out_of_scope
            return list(account.claims(session, dialect, list(tables.values()), scans, scope))

    def population(self, source: SourceSpec) -> Population:
        """Rows, high water and control totals.

        Controls: `rows`; `body_bytes` (not for row bodies); `first_key` and
        `last_key` in the source's order, without rows that lack a key: the
        key's text, or the JSON array of a composite key.
        """
        scan = self._scan(source)
        with self._sessions.open() as session:
            return account.population(session, scan)

    def read(
        self,
        source: SourceSpec,
        population: Population | None = None,
        *,
        after: str | None = None,
        position: int = 0,
    ) -> Iterator[Chunk]:
        """Chunks in order of order_by and key, then rows that lack a key; see LegacyStore.read."""
        scan = self._scan(source)
        if problems := self._checker.unordered(scan):
            raise _wrong(source, problems)
        return Reader(self._sessions, scan, self._spec, population).chunks(after, position)

    def table(self, query: str) -> pa.Table:
        """The result of a SELECT, all columns text."""
        wrong = wrong_query(query, self._server.backend)
        if wrong:
            raise LegacyUnreadable(f"a reference query {wrong}", hint="write one SELECT")
        with self._sessions.open() as session:
            return reference_table(session, self._server.dialect, query)

    def close(self) -> None:
        """Close every idle connection."""
        self._sessions.close()
        self._server.engine.dispose()

    def _tables(self) -> list[Table]:
        found = (self._catalogue.table(name) for name in self._catalogue.names())
        return [table for table in found if table is not None]

    def _scan(self, source: SourceSpec) -> Scan:
        table, problems = self._checker.found(source)
        if table is None or problems:
            raise _wrong(source, problems)
        return Scan(self._server.dialect, table, source)


def _wrong(source: SourceSpec, problems: Sequence[str]) -> LegacyUnreadable:
    return LegacyUnreadable(f'flow "{source.flow}": {problems[0]}', hint="run isb-migrate check")
