"""Reading by an ODBC driver into Arrow (arrow-odbc): SQL Server, Db2, and whoever has a driver.

Text travels narrow, as UTF-8, whatever the process's locale. Values without a
declared length travel through buffers of a fixed width; one that does not fit is
an error of arrow-odbc, never cut, and the statement is asked again with wider
buffers in the same transaction.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import arrow_odbc
import pyarrow as pa
from arrow_odbc import TextEncoding

from extractors.sql.connect import Server
from extractors.sql.dialects.base import Form
from extractors.sql.sessions import Pieces, typed
from extractors.sql.statement import Sql

FIRST_WIDTH = 4096
BATCH_BYTES = 64 * 1024 * 1024
LOGIN_TIMEOUT_S = 30
_ROWS = 10_000
_WIDER = 4
_WIDEST = 2**31
_TOO_LARGE = re.compile(r"too large to be written.*?(?:Some\((\d+)\)|None)", re.DOTALL)


class OdbcSession:
    """A connection by ODBC, in a transaction as soon as something is asked."""

    spent = False

    def __init__(self, server: Server) -> None:
        self._dialect = server.dialect
        self._timeout = server.spec.statement_timeout_s
        self._width = FIRST_WIDTH
        self._connection: Any = arrow_odbc.connect(
            server.odbc, autocommit=False, login_timeout_sec=LOGIN_TIMEOUT_S
        )
        for statement in self._dialect.setup(server.spec, self._ask):
            self._connection.execute(statement)
        self._connection.commit()

    def begin(self) -> None:
        if self._dialect.begin:
            self._connection.execute(self._dialect.begin)

    def fetch(self, statement: Sql, forms: Sequence[Form]) -> list[pa.Array]:
        while True:
            try:
                found = list(self._batches(statement, _ROWS))
            except arrow_odbc.Error as error:
                self._widen(error)
            else:
                return _whole(found, forms)

    def names(self, statement: Sql) -> list[str]:
        return list(self._reader(statement, 1).schema.names)

    def stream(self, statement: Sql, forms: Sequence[Form], rows: int, widest: int) -> Pieces:
        self._width = max(self._width, widest * _WIDER)  # octets as stored, UTF-8 is longer
        self.spent = True
        for batch in self._batches(statement, rows):
            yield typed(batch.columns, forms)
        self.spent = False

    def finish(self) -> None:
        self._connection.rollback()

    def close(self) -> None:
        """Roll back, which a dead connection need not do, and give the connection up."""
        with suppress(arrow_odbc.Error):
            self._connection.rollback()
        self._connection = None

    def _batches(self, statement: Sql, rows: int) -> Iterator[pa.RecordBatch]:
        yield from self._reader(statement, rows)

    def _reader(self, statement: Sql, rows: int) -> Any:
        text, values = statement.render("qmark")
        return self._connection.read_arrow_batches(
            text,
            batch_size=rows,
            parameters=[_parameter(value) for value in values],
            max_bytes_per_batch=BATCH_BYTES,
            max_text_size=self._width,
            max_binary_size=self._width,
            falliable_allocations=True,
            fetch_concurrently=False,
            query_timeout_sec=self._timeout if self._dialect.client_timeout else None,
            payload_text_encoding=TextEncoding.UTF8,
        )

    def _ask(self, query: str) -> Any:
        for batch in self._batches(Sql(query), 1):
            return batch.column(0)[0].as_py()
        return None

    def _widen(self, error: arrow_odbc.Error) -> None:
        """Wider buffers for another try; the error itself where they were wide enough."""
        match = _TOO_LARGE.search(str(error))
        needed = int(match[1] or 0) if match else None
        if needed is None or self._width > max(_WIDER * needed, 0 if needed else _WIDEST):
            raise error
        self._width = max(self._width * _WIDER, needed)


def _whole(batches: Sequence[pa.RecordBatch], forms: Sequence[Form]) -> list[pa.Array]:
    if not batches:
        return typed([pa.array([], pa.null()) for _ in forms], forms)
    return typed(pa.Table.from_batches(batches).columns, forms)


def _parameter(value: Any) -> str | None:
    """All parameters travel as text; a dialect casts them in SQL."""
    assert value is None or isinstance(value, str | int)
    return None if value is None else str(value)
