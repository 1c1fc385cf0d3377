"""Reading a source of a JDBC store: pages of ACTIVEMQ_MSGS in order of ID, decoded.

What subscriptions wait for is read in the transaction of the page. All units of a message are in
one chunk, so a chunk of a topic with more subscriptions than `batch_rows` is larger than that.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from extractors.activemq.records import Records, Unit
from extractors.activemq.subscriptions import Subscription, Subscriptions, read_subscriptions
from extractors.activemq.tables import TOPIC, Tables, covers_topics, find
from extractors.sql.catalogue import Column
from extractors.sql.cells import texts
from extractors.sql.duplicates import duplicate_keys
from extractors.sql.keyset import Mark
from extractors.sql.read import Reader, Tuple
from extractors.sql.scan import Scan
from extractors.sql.sessions import Session, Sessions
from extractors.sql.shape import Page
from migrate.core.flow import SourceSpec, StoreSpec
from migrate.core.identity import key_text
from migrate.core.ports import Chunk, Population


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
        self._limits = spec
        self._topics = covers_topics(source.from_)
        self._records = Records(source, max_inflated)

    def _pages(self, after: Tuple | None, position: int) -> Iterator[Chunk]:
        if self._is_empty:
            return
        with self._sessions.open() as session:
            shared = shared_ids(session, self._tables, self._scan.source)
        for page, waiting, last in self._found(after):
            self._decode(page, waiting, shared)
            rows = len(self._records)
            if rows:
                yield Chunk(self._records.table(position), Mark(after=tuple(last)).text())
                self._throttle.passed(rows)
            position += rows

    def frames(self) -> Iterator[list[bytes | None]]:
        """The frames of all rows as they are stored, page by page."""
        name = self._tables.msg("MSG").name
        for page, _, _ in self._found(None):
            frames: list[bytes | None] = page[name].data.to_pylist()
            yield frames

    def _found(self, after: Tuple | None) -> Iterator[tuple[Page, Subscriptions, Tuple]]:
        """Pages of rows, with the subscriptions at that moment and where the page ends."""
        columns = self._scan.named_columns()
        while True:
            found = self._patience.read(partial(self._found_behind, after, columns))
            if found is None:
                return
            yield found
            after = found[2]

    def _found_behind(
        self, after: Tuple | None, columns: Sequence[Column], rows: int
    ) -> tuple[Page, Subscriptions, Tuple] | None:
        with self._sessions.open() as session:
            waiting = self._subscriptions(session)
            rows = min(rows, self._spec.batch_rows)
            last = self._last_of_page(session, after, columns, rows)
            if last is None:
                return None
            page, _ = self._page(session, after, last, columns)
            return page, waiting, last

    def _subscriptions(self, session: Session) -> Subscriptions:
        """Those of the source's topics; pages are the smaller the more there are."""
        if not self._topics:
            return Subscriptions({})
        found = read_subscriptions(session, self._tables)
        most = max(1, len(found))
        self._spec = replace(
            self._spec,
            batch_rows=max(1, self._limits.batch_rows // most),
            batch_bytes=max(1, self._limits.batch_bytes // most),
        )
        return found

    def _decode(self, page: Page, waiting: Subscriptions, shared: frozenset[str]) -> None:
        names = ("ID", "CONTAINER", "MSGID_PROD", "MSGID_SEQ", "PRIORITY")
        found = [find(self._tables.msgs, name) for name in names]
        empty = [None] * len(page[self._tables.msg("ID").name])
        values = [texts(page[one.name]).to_pylist() if one else empty for one in found]
        frames = page[self._tables.msg("MSG").name].data.to_pylist()
        for number, container, producer, sequence, priority, data in zip(
            *values, frames, strict=True
        ):
            expected = stored_id(producer, sequence)
            name = legacy_id(number, producer, sequence, shared)
            if container.startswith(TOPIC):
                subscriptions = waiting.waiting(container, int(number), priority)
                units = [topic_unit(number, name, one) for one in subscriptions]
            else:
                units = [Unit(f'["{number}"]', name)]
            if units:
                self._records.add(data, container, units, expected)


def shared_ids(session: Session, tables: Tables, source: SourceSpec) -> frozenset[str]:
    """Message ids that several rows have: copies of one message in several queues."""
    key = (tables.msg("MSGID_PROD").name, tables.msg("MSGID_SEQ").name)
    scan = Scan(tables.dialect, tables.msgs, replace(source, key=key))
    return duplicate_keys(session, scan)


def stored_id(producer: str | None, sequence: str | None) -> str | None:
    """The message id that the row keeps beside the frame."""
    return None if producer is None or sequence is None else f"{producer}:{sequence}"


def legacy_id(
    number: str, producer: str | None, sequence: str | None, shared: frozenset[str]
) -> str:
    """The message id; `row:ID` where the row has none, `…#ID` where others have it too."""
    found = stored_id(producer, sequence)
    if found is None:
        return f"row:{number}"
    if shared and key_text([producer, sequence]) in shared:
        return f"{found}#{number}"
    return found


def topic_unit(number: str, name: str, subscription: Subscription) -> Unit:
    """What one subscription has still to get of a message."""
    headers: list[str | None] = ["activemq.subscription", "text", subscription.label]
    if subscription.selector is not None:
        headers += ("activemq.selector", "text", subscription.selector)
    key = key_text([number, subscription.client, subscription.name])
    return Unit(key, f"{name}@{subscription.label}", headers)
