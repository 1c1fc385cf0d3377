"""Reading a source: its rows with a key in pages, then those without in one ordered pass."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import accumulate

import pyarrow as pa

from extractors.sql.catalogue import Column
from extractors.sql.cells import Cells
from extractors.sql.delivered import delivered_to
from extractors.sql.dialects.base import Form, KeyValue
from extractors.sql.duplicates import duplicate_keys
from extractors.sql.keyset import Mark, foreign_checkpoint, high_water
from extractors.sql.patience import Patience, resumed
from extractors.sql.pieces import Chain, Piece, regrouped, skipped
from extractors.sql.scan import Scan, cells_of, forms_of
from extractors.sql.sessions import Session, Sessions
from extractors.sql.shape import Page, Shaper
from extractors.sql.statement import Part, Sql, all_of
from extractors.sql.throttle import Throttle
from migrate.core.errors import LegacyUnreadable
from migrate.core.flow import StoreSpec
from migrate.core.ports import Chunk, Population

Tuple = Sequence[KeyValue]


class Reader:
    """One read of one source."""

    def __init__(
        self, sessions: Sessions, scan: Scan, spec: StoreSpec, population: Population | None
    ) -> None:
        self._sessions = sessions
        self._scan = scan
        self._spec = spec
        self._keyset = scan.keyset
        self._ceiling = high_water(population) if population else None
        self._is_empty = population is not None and self._ceiling is None
        self._throttle = Throttle(spec.rows_per_s)
        self._patience = Patience(spec.batch_rows)

    def chunks(self, after: str | None, position: int) -> Iterator[Chunk]:
        """All chunks behind a checkpoint; the first row gets `position`."""
        mark = Mark.parse(after)
        has_key = bool(self._scan.source.key)
        if mark.after is not None and not (has_key and self._keyset.fits(mark.after)):
            raise foreign_checkpoint()
        if has_key and not mark.streaming:
            for chunk in self._pages(mark.after, position):
                position += chunk.table.num_rows
                yield chunk
        if not has_key or self._scan.may_lack_key:
            start = mark if mark.streaming else Mark(streaming=True)
            yield from resumed(self._stream, start, position)

    def _pages(self, after: Tuple | None, position: int) -> Iterator[Chunk]:
        if self._is_empty:
            return
        duplicates = self._patience.whole(self._duplicates)
        shaper = Shaper(self._scan, duplicates)
        columns = self._scan.table.columns if duplicates else self._scan.named_columns()
        while True:
            found = self._patience.read(partial(self._next_page, after, columns))
            if found is None:
                return
            last, page, delivered = found
            if after is not None and list(last) == list(after):
                raise _stuck(self._scan)
            table = shaper.keyed(page, delivered, position)
            yield Chunk(table, Mark(after=tuple(last)).text())
            self._throttle.passed(table.num_rows)
            position, after = position + table.num_rows, last

    def _duplicates(self) -> frozenset[str]:
        with self._sessions.open() as session:
            return duplicate_keys(session, self._scan)

    def _next_page(
        self, after: Tuple | None, columns: Sequence[Column], rows: int
    ) -> tuple[Tuple, Page, dict[str, list[str]]] | None:
        """The last tuple of the page behind `after`, its rows and who had them; in one
        transaction."""
        with self._sessions.open() as session:
            last = self._last_of_page(session, after, columns, rows)
            if last is None:
                return None
            return last, *self._page(session, after, last, columns)

    def _last_of_page(
        self, session: Session, after: Tuple | None, columns: Sequence[Column], rows: int
    ) -> Tuple | None:
        """Where the page ends: by rows, by bytes, by the population's high water."""
        conditions = self._behind(after)
        if self._ceiling is not None:
            conditions.append(self._keyset.up_to(self._ceiling))
        ordering = self._keyset.columns
        forms = [*forms_of(self._scan.dialect, ordering), self._size(columns)]
        statement = self._scan.select(forms, conditions, order=self._keyset.order)
        limit = self._scan.dialect.limit(rows)
        *arrays, sizes = session.fetch(Sql(statement, limit), forms)
        if not len(sizes):
            return None
        last = max(0, _rows_within(sizes, self._spec.batch_bytes) - 1)
        cells = [column.slice(last, 1) for column in self._cells(ordering, arrays)]
        return self._keyset.values(cells, 0)

    def _page(
        self, session: Session, after: Tuple | None, last: Tuple, columns: Sequence[Column]
    ) -> tuple[Page, dict[str, list[str]]]:
        """The rows behind `after` and not behind `last`: with all that share its key."""
        conditions = [*self._behind(after), self._keyset.up_to(last)]
        forms = forms_of(self._scan.dialect, columns)
        order = self._keyset.order
        if not self._scan.is_unique:
            order = Sql(order, ", ", self._scan.total_order())
        arrays = session.fetch(self._scan.select(forms, conditions, order=order), forms)
        names = [column.name for column in columns]
        page = dict(zip(names, self._cells(columns, arrays), strict=True))
        if not self._scan.source.delivered:
            return page, {}
        return page, delivered_to(session, self._scan, conditions)

    def _behind(self, after: Tuple | None) -> list[Part]:
        conditions = self._scan.with_key()
        if after is not None:
            conditions.append(self._keyset.behind(after))
        return conditions

    def _stream(self, mark: Mark, position: int) -> Iterator[Chunk]:
        """Rows without a key: a resumed pass reads the rows before again, and checks them."""
        shaper = Shaper(self._scan)
        chain = Chain()
        with self._sessions.open() as session, closing(self._pieces(session)) as pieces:
            fresh = skipped(pieces, mark, chain)
            for piece in regrouped(fresh, self._spec.batch_rows, self._spec.batch_bytes):
                ids, mark = self._numbered(shaper, piece, mark)
                chain.add(piece.digests)
                mark = replace(mark, chain=chain.text())
                table = shaper.keyless(piece.page, ids, position)
                yield Chunk(table, mark.text())
                self._throttle.passed(len(ids))
                position += len(ids)

    def _numbered(self, shaper: Shaper, piece: Piece, mark: Mark) -> tuple[list[str], Mark]:
        """The ids of a piece's rows; equal rows are neighbours, so counting needs no memory."""
        ids: list[str] = []
        last, count = bytes.fromhex(mark.last), mark.count
        for digest in piece.digests:
            count = count + 1 if digest == last else 1
            last = digest
            ids.append(shaper.record_id(digest, count))
        return ids, replace(mark, rows=mark.rows + len(ids), last=last.hex(), count=count)

    def _pieces(self, session: Session) -> Generator[Piece, None, None]:
        """All rows without a key, in total order, in pieces of bounded size."""
        scan, columns = self._scan, self._scan.table.columns
        conditions = scan.without_key() if scan.source.key else scan.conditions()
        largest = self._largest(session, conditions)
        if largest is None:
            return
        forms = forms_of(scan.dialect, columns)
        statement = scan.select(forms, conditions, order=scan.total_order())
        rows = min(self._spec.batch_rows, max(1, self._spec.batch_bytes // max(1, largest)))
        with closing(session.stream(statement, forms, rows, largest)) as found:
            for arrays in found:
                names = [column.name for column in columns]
                yield Piece(dict(zip(names, self._cells(columns, arrays), strict=True)))

    def _largest(self, session: Session, conditions: Sequence[Part]) -> int | None:
        """The size of the largest row; None where there is no row."""
        octets = self._scan.octets(self._scan.table.columns)
        expression = self._scan.dialect.integer(f"MAX({octets})")
        statement = Sql(f"SELECT {expression} FROM {self._scan.name} WHERE ", all_of(conditions))
        size: int | None = session.fetch(statement, [Form(expression, "integer")])[0][0].as_py()
        return size

    def _size(self, columns: Sequence[Column]) -> Form:
        return Form(self._scan.dialect.integer(self._scan.octets(columns)), "integer")

    def _cells(self, columns: Sequence[Column], arrays: Sequence[pa.Array]) -> list[Cells]:
        return list(cells_of(self._scan.dialect, columns, arrays))


def _rows_within(sizes: pa.Array, limit: int) -> int:
    """How many rows from the first one on stay within so many bytes."""
    totals = accumulate(sizes.to_pylist())
    return sum(1 for total in totals if total <= limit)


def _stuck(scan: Scan) -> LegacyUnreadable:
    """The database does not find a key behind itself: its text is not all of it."""
    names = ", ".join(column.name for column in scan.keyset.columns)
    return LegacyUnreadable(
        f"{scan.source.from_} cannot be paged by {names}: a value is behind its own text",
        hint="declare a key and an order_by of whole numbers or text",
    )
