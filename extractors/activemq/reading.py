"""Reading a source of a JDBC store: pages of ACTIVEMQ_MSGS in order of ID, decoded.

What subscriptions wait for is read in the transaction of the page. All units of a message are in
one chunk, so a chunk of a topic with more subscriptions than `batch_rows` is larger than that.
"""

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

from extractors.activemq.decoding import COLUMNS, Decoding, Job, job_of
from extractors.activemq.subscriptions import Subscriptions, read_subscriptions
from extractors.activemq.tables import Tables, covers_topics, find
from extractors.segment import placed
from extractors.sql.duplicates import duplicate_keys
from extractors.sql.keyset import Mark
from extractors.sql.pages import KeyedPages, Pages, Tuple
from extractors.sql.read import Reader
from extractors.sql.scan import Scan
from extractors.sql.sessions import Session, Sessions
from migrate.core.ahead import ahead
from migrate.core.errors import LegacyUnreadable
from migrate.core.flow import SourceSpec, StoreSpec
from migrate.core.ports import Chunk, Population
from migrate.core.workers import spread

MOST_DECODERS = 4
ROWS_HERE = 30_000  # about what a process decodes while others are started


class FrameReader(Reader):
    """One read of one source; see extractors.sql.read."""

    def __init__(
        self,
        sessions: Sessions,
        tables: Tables,
        source: SourceSpec,
        spec: StoreSpec,
        population: Population | None,
        max_inflated: int,
    ) -> None:
        super().__init__(sessions, tables.scan(source), spec, population)
        self._tables = tables
        self._topics = covers_topics(source.from_)
        self._source = source
        self._max_inflated = max_inflated
        self._workers, self._here = _processes(spec)

    def _pages(self, after: Tuple | None, position: int) -> Iterator[Chunk]:
        if self._is_empty:
            return
        shared = self._patience.whole(self._shared)
        decoding = Decoding(self._source, self._max_inflated)
        jobs = ahead(self._jobs(after, shared))
        decoded = spread(decoding, jobs, workers=self._workers, here=self._here)
        with closing(jobs), closing(decoded):
            for job, table in decoded:
                rows = table.num_rows
                if rows:
                    yield Chunk(placed(table, position), Mark(after=tuple(job.last)).text())
                    self._throttle.passed(rows)
                position += rows

    def _shared(self) -> frozenset[str]:
        with self._sessions.open() as session:
            return shared_ids(session, self._tables, self._scan.source)

    def _jobs(self, after: Tuple | None, shared: frozenset[str]) -> Iterator[Job]:
        columns = [find(self._tables.msgs, name) for name in COLUMNS]
        with closing(self._found(after)) as pages:
            for page in pages:
                cells = [page.page[one.name] if one else None for one in columns]
                frames = page.page[self._tables.msg("MSG").name].data
                yield job_of(cells, frames, page.last, page.beside, shared)

    def frames(self) -> Iterator[list[bytes | None]]:
        """The frames of all rows as they are stored, page by page."""
        name = self._tables.msg("MSG").name
        for page in self._found(None):
            frames: list[bytes | None] = page.page[name].data.to_pylist()
            yield frames

    def _found(self, after: Tuple | None) -> KeyedPages:
        """Pages of rows; those of topics with the subscriptions at that moment."""
        columns = self._scan.columns_to_read()
        pages = Pages(self._sessions, self._scan, self._spec, columns, self._patience)
        if self._topics:
            return pages.measured(after, self._ceiling, self._subscriptions)
        return pages.behind(after, self._ceiling)

    def _subscriptions(self, session: Session) -> tuple[StoreSpec, Subscriptions]:
        """Those of the source's topics; pages are the smaller the more there are."""
        found = read_subscriptions(session, self._tables)
        most = max(1, len(found))
        limits = replace(
            self._spec,
            batch_rows=max(1, self._spec.batch_rows // most),
            batch_bytes=max(1, self._spec.batch_bytes // most),
        )
        return limits, found


def shared_ids(session: Session, tables: Tables, source: SourceSpec) -> frozenset[str]:
    """Message ids that several rows have: copies of one message in several queues."""
    key = (tables.msg("MSGID_PROD").name, tables.msg("MSGID_SEQ").name)
    scan = Scan(tables.dialect, tables.msgs, replace(source, key=key))
    return duplicate_keys(session, scan)


def _processes(spec: StoreSpec) -> tuple[int, int]:
    """How many processes decode, and how many pages before they are worth starting."""
    asked = dict(spec.options).get("decoders")
    if asked is None:
        return min(os.cpu_count() or 1, MOST_DECODERS), -(-ROWS_HERE // spec.batch_rows)
    if not (asked.isdecimal() and int(asked)):
        raise LegacyUnreadable(
            f'store "{spec.name}": options.decoders is no number of processes',
            hint="options = { decoders = 2 }; 1 decodes in this one",
        )
    return int(asked), 0
