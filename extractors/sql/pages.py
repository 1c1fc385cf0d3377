"""The rows that have a key, a page at a time, each page read in a short transaction of its own.

Where the driver hands over a result in pieces of bounded size, a page is one
statement, cut by rows and bytes as it comes. Elsewhere a page is measured
before it is fetched, since a driver that fetches by rows would take ten
thousand bodies of any size at once; and so it is where more than the page's rows
must agree: rows that may share a key, endpoints of the same moment.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import accumulate
from typing import Any, TypeAlias

import pyarrow as pa

from extractors.sql.catalogue import Column
from extractors.sql.delivered import delivered_to
from extractors.sql.dialects.base import Form, KeyValue
from extractors.sql.patience import Patience
from extractors.sql.pieces import Piece, piece_of, regrouped
from extractors.sql.scan import Scan, cells_of, forms_of
from extractors.sql.sessions import Session, Sessions
from extractors.sql.shape import Page
from extractors.sql.statement import Part, Sql
from migrate.core.errors import LegacyUnreadable
from migrate.core.flow import StoreSpec

Tuple = Sequence[KeyValue]


@dataclass(frozen=True, slots=True)
class KeyedPage:
    """Rows in the source's order; `last`: the tuple of the last one; `beside`: what else was
    read in their transaction."""

    page: Page
    last: Tuple
    delivered: dict[str, list[str]] = field(default_factory=dict)
    beside: Any = None


KeyedPages = Generator[KeyedPage, None, None]

Beside: TypeAlias = Callable[[Session], tuple[StoreSpec, Any]]
"""Reads along in a page's transaction: the page's limits, and what goes with it."""


class Pages:
    """The pages of one read of a source, up to a tuple or to the end."""

    def __init__(
        self,
        sessions: Sessions,
        scan: Scan,
        spec: StoreSpec,
        columns: Sequence[Column],
        patience: Patience,
    ) -> None:
        self._sessions = sessions
        self._scan = scan
        self._spec = spec
        self._columns = columns
        self._keyset = scan.keyset
        self._patience = patience

    def behind(self, after: Tuple | None, ceiling: Tuple | None) -> KeyedPages:
        """Everything behind one tuple and not behind another."""
        alone = self._scan.is_unique and not self._scan.source.delivered
        if alone and self._sessions.bounded:
            return self._streamed(after, ceiling)
        return self.measured(after, ceiling)

    def _streamed(self, after: Tuple | None, ceiling: Tuple | None) -> KeyedPages:
        with closing(self._windows(after, ceiling)) as windows:
            for piece in regrouped(windows, self._spec.batch_rows, self._spec.batch_bytes):
                yield KeyedPage(piece.page, self._last_tuple(piece.page))

    def _windows(self, after: Tuple | None, ceiling: Tuple | None) -> Generator[Piece, None, None]:
        """All rows, in pieces that are each read in one transaction and about a page large."""
        while True:
            found, is_full = self._patience.read(partial(self._window, after, ceiling))
            yield from found
            if not is_full:
                return
            after = self._further(after, self._last_tuple(found[-1].page))

    def _window(
        self, after: Tuple | None, ceiling: Tuple | None, most: int
    ) -> tuple[list[Piece], bool]:
        """At most so many rows, up to a page's bytes; and whether there may be more of the kind."""
        forms = forms_of(self._scan.dialect, self._columns)
        conditions = self._between(after, ceiling)
        statement = self._scan.select(forms, conditions, order=self._keyset.order)
        limited = Sql(statement, self._scan.dialect.limit(most))
        found: list[Piece] = []
        rows = size = 0
        with (
            self._sessions.open() as session,
            closing(session.stream(limited, forms, most, self._spec.batch_bytes)) as pieces,
        ):
            for arrays in pieces:
                found.append(self._piece(arrays))
                rows, size = rows + len(arrays[0]), size + sum(map(_bytes_of, arrays))
                if size > self._spec.batch_bytes:
                    return found, True
        return found, rows == most

    def measured(
        self, after: Tuple | None, ceiling: Tuple | None, beside: Beside | None = None
    ) -> KeyedPages:
        """The same, one page a transaction, with what belongs to its moment."""
        while page := self._patience.read(partial(self._page, after, ceiling, beside)):
            after = self._further(after, page.last)
            yield page

    def _page(
        self, after: Tuple | None, ceiling: Tuple | None, beside: Beside | None, most: int
    ) -> KeyedPage | None:
        """The page behind `after`, of one transaction; None where there is none."""
        with self._sessions.open() as session:
            limits, along = beside(session) if beside else (self._spec, None)
            limits = replace(limits, batch_rows=min(most, limits.batch_rows))
            last = self._measure(session, limits, self._between(after, ceiling))
            if last is None:
                return None
            page, delivered = self._fetch(session, after, last)
            return KeyedPage(page, last, delivered, along)

    def _further(self, after: Tuple | None, last: Tuple) -> Tuple:
        """Where to go on; raises where the database does not find a key behind itself."""
        if after is not None and list(last) == list(after):
            names = ", ".join(column.name for column in self._keyset.columns)
            raise LegacyUnreadable(
                f"{self._scan.source.from_} cannot be paged by {names}:"
                " a value is behind its own text",
                hint="declare a key and an order_by of whole numbers or text",
            )
        return last

    def _measure(
        self, session: Session, limits: StoreSpec, conditions: Sequence[Part]
    ) -> Tuple | None:
        """Where the page ends: by rows, by bytes, by the conditions; None where there is none."""
        ordering = self._keyset.columns
        forms = [*forms_of(self._scan.dialect, ordering), self._size()]
        statement = self._scan.select(forms, conditions, order=self._keyset.order)
        limit = self._scan.dialect.limit(limits.batch_rows)
        *arrays, sizes = session.fetch(Sql(statement, limit), forms)
        if not len(sizes):
            return None
        last = max(0, _rows_within(sizes, limits.batch_bytes) - 1)
        cells = cells_of(self._scan.dialect, ordering, arrays)
        return self._keyset.values([column.slice(last, 1) for column in cells], 0)

    def _fetch(
        self, session: Session, after: Tuple | None, last: Tuple
    ) -> tuple[Page, dict[str, list[str]]]:
        """The rows behind `after` and not behind `last`: with all that share its key."""
        conditions = self._between(after, last)
        forms = forms_of(self._scan.dialect, self._columns)
        order = self._keyset.order
        if not self._scan.is_unique:
            order = Sql(order, ", ", self._scan.total_order())
        page = self._piece(session.fetch(self._scan.select(forms, conditions, order=order), forms))
        if not self._scan.source.delivered:
            return page.page, {}
        return page.page, delivered_to(session, self._scan, conditions)

    def _between(self, after: Tuple | None, last: Tuple | None) -> list[Part]:
        conditions = self._scan.with_key()
        if after is not None:
            conditions.append(self._keyset.behind(after))
        if last is not None:
            conditions.append(self._keyset.up_to(last))
        return conditions

    def _piece(self, arrays: Sequence[pa.Array]) -> Piece:
        return piece_of(self._scan.dialect, self._columns, arrays)

    def _last_tuple(self, page: Page) -> Tuple:
        cells = [page[column.name] for column in self._keyset.columns]
        return self._keyset.values(cells, len(cells[0]) - 1)

    def _size(self) -> Form:
        return Form(self._scan.dialect.integer(self._scan.octets(self._columns)), "integer")


def _bytes_of(array: pa.Array) -> int:
    return int(array.nbytes)


def _rows_within(sizes: pa.Array, limit: int) -> int:
    """How many rows from the first one on stay within so many bytes."""
    totals = accumulate(sizes.to_pylist())
    return sum(1 for total in totals if total <= limit)
