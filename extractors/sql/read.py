"""Reading a source: its rows with a key in pages, then those without in one ordered pass."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace

from extractors.sql.dialects.base import Form
from extractors.sql.duplicates import duplicate_keys
from extractors.sql.keyset import Mark, foreign_checkpoint, high_water
from extractors.sql.pages import Pages, Tuple
from extractors.sql.patience import Patience, resumed
from extractors.sql.pieces import Chain, Piece, piece_of, regrouped, skipped
from extractors.sql.scan import Scan, forms_of
from extractors.sql.sessions import Session, Sessions
from extractors.sql.shape import Shaper
from extractors.sql.statement import Part, Sql, all_of
from extractors.sql.throttle import Throttle
from migrate.core.ahead import ahead
from migrate.core.flow import StoreSpec
from migrate.core.ports import Chunk, Population


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
        columns = self._scan.table.columns if duplicates else self._scan.columns_to_read()
        pages = Pages(self._sessions, self._scan, self._spec, columns, self._patience)
        with closing(ahead(pages.behind(after, self._ceiling))) as found:
            for page in found:
                table = shaper.keyed(page.page, page.delivered, position)
                yield Chunk(table, Mark(after=tuple(page.last)).text())
                self._throttle.passed(table.num_rows)
                position += table.num_rows

    def _duplicates(self) -> frozenset[str]:
        with self._sessions.open() as session:
            return duplicate_keys(session, self._scan)

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
                yield piece_of(scan.dialect, columns, arrays)

    def _largest(self, session: Session, conditions: Sequence[Part]) -> int | None:
        """The size of the largest row; None where there is no row."""
        octets = self._scan.octets(self._scan.table.columns)
        expression = self._scan.dialect.integer(f"MAX({octets})")
        statement = Sql(f"SELECT {expression} FROM {self._scan.name} WHERE ", all_of(conditions))
        size: int | None = session.fetch(statement, [Form(expression, "integer")])[0][0].as_py()
        return size
