"""The JDBC store of Apache ActiveMQ Classic, in any database that SQLAlchemy reaches."""

from collections.abc import Iterator, Sequence

import pyarrow as pa

from extractors.activemq import account
from extractors.activemq.about import JDBC
from extractors.activemq.bodies import MAX_INFLATED
from extractors.activemq.check import source_problems
from extractors.activemq.reading import FrameReader
from extractors.activemq.subscriptions import read_subscriptions
from extractors.activemq.survey import Survey
from extractors.activemq.tables import Tables, find_tables
from extractors.sql.connect import Server
from extractors.sql.guard import wrong_query
from extractors.sql.reference import reference_table
from extractors.sql.reflect import Catalogue
from extractors.sql.rights import can_write
from extractors.sql.sessions import Sessions
from migrate.core.errors import LegacyUnreadable
from migrate.core.flow import SourceSpec, StoreSpec
from migrate.core.ports import Chunk, Claim, Container, Population


class JdbcStore:
    """ACTIVEMQ_MSGS and ACTIVEMQ_ACKS, read in read-only sessions; nothing is connected before it
    is wanted.

    A source's `from` is `queue://NAME`, `topic://NAME`, a beginning of these and `*`, or `*`.
    Options: `table_prefix`; `max_inflated_bytes` of one compressed body. Raises LegacyUnreadable
    for whatever the database will not do, and MissingExtra without the driver of its URL.
    """

    about = JDBC

    def __init__(self, spec: StoreSpec) -> None:
        self._spec = spec
        self._server = Server(spec)
        self._sessions = Sessions(self._server)
        self._catalogue = Catalogue(self._server, self._sessions)
        self._found: Tables | None = None

    def can_write(self) -> str | None:
        """How this account could change the store; SQLite files are opened read-only: None."""
        with self._sessions.open() as session:
            return can_write(session, self._server)

    def inventory(self) -> Sequence[Container]:
        """Every queue and topic; every message is decoded to count what cannot be."""
        with self._sessions.open() as session:
            counted = account.counts(session, self._tables)
            doubtful = account.in_doubt(session, self._tables)
            waiting = account.units_by_topic(session, self._tables)
            topics = read_subscriptions(session, self._tables).topics()
        found = []
        for name in sorted({*counted, *doubtful, *topics}):
            rows, size = counted.get(name, (0, 0))
            detail = self._survey(name) | {"in_doubt": doubtful.get(name, 0)}
            if name.startswith("topic://"):
                detail["messages"], rows = rows, waiting.get(name, 0)
            found.append(Container(name, rows, size, detail=detail))
        return found

    def check(self, source: SourceSpec) -> Sequence[str]:
        """What is wrong with a source, each with its key in the plan and a remedy."""
        tables = self._tables
        with self._sessions.open() as session:
            names = sorted(account.counts(session, tables))
        problems = list(source_problems(source, names))
        if tables.scan(source).may_lack_key:
            problems.append(f"from: {tables.msgs.name} may lack its ID; it is no broker's table")
        return problems

    def claims(self, sources: Sequence[SourceSpec]) -> Sequence[Claim]:
        """Every container's messages by how many flows claim them; see account.claims."""
        with self._sessions.open() as session:
            return list(account.claims(session, self._tables, self._spec, sources))

    def population(self, source: SourceSpec) -> Population:
        """Rows, high water and control totals; see account.population."""
        with self._sessions.open() as session:
            return account.population(session, self._tables, self._sound(source))

    def read(
        self,
        source: SourceSpec,
        population: Population | None = None,
        *,
        after: str | None = None,
        position: int = 0,
    ) -> Iterator[Chunk]:
        """Chunks in order of ID; see LegacyStore.read."""
        return self._reader(self._sound(source), population).chunks(after, position)

    def table(self, query: str) -> pa.Table:
        """The result of a SELECT, all columns text: its queues, its durable subscriptions."""
        if wrong := wrong_query(query, self._server.backend):
            raise LegacyUnreadable(f"a reference query {wrong}", hint="write one SELECT")
        with self._sessions.open() as session:
            return reference_table(session, self._server.dialect, query)

    def close(self) -> None:
        """Close every idle connection."""
        self._sessions.close()
        self._server.engine.dispose()

    @property
    def _tables(self) -> Tables:
        if self._found is None:
            self._found = find_tables(self._spec, self._server.dialect, self._catalogue)
        return self._found

    @property
    def _max_inflated(self) -> int:
        text = dict(self._spec.options).get("max_inflated_bytes", str(MAX_INFLATED))
        if not text.isdecimal():
            raise LegacyUnreadable(
                f'store "{self._spec.name}": max_inflated_bytes is no number',
                hint="options = { max_inflated_bytes = 104857600 }",
            )
        return int(text)

    def _reader(self, source: SourceSpec, population: Population | None) -> FrameReader:
        return FrameReader(
            self._sessions, self._tables, source, self._spec, population, self._max_inflated
        )

    def _survey(self, name: str) -> dict[str, object]:
        survey = Survey(self._max_inflated)
        source = SourceSpec("", "", name)
        for frames in self._reader(source, None).frames():
            survey.add(frames)
        return survey.detail()

    def _sound(self, source: SourceSpec) -> SourceSpec:
        problem = next(source_problems(source, ()), None)
        if problem is not None:
            raise LegacyUnreadable(f'flow "{source.flow}": {problem}', hint="run isb-migrate check")
        return source
