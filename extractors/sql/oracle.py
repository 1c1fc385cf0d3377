"""Reading Oracle into Arrow by python-oracledb, in its thin mode: no Oracle client is needed."""

from collections.abc import Iterator, Sequence
from typing import Any

import oracledb
import pyarrow as pa

from extractors.sql.dialects.base import Form
from extractors.sql.sessions import Pieces, RowSession, typed
from extractors.sql.statement import Sql

_ARRAY_ROWS = 1000


class OracleSession(RowSession):
    """SQLAlchemy's connection, whose driver fetches columns; rows where a type has no column."""

    def fetch(self, statement: Sql, forms: Sequence[Form]) -> list[pa.Array]:
        text, values = statement.render("named")
        try:
            found = self._driver.fetch_df_all(text, values or None, arraysize=_ARRAY_ROWS)
        except oracledb.NotSupportedError:  # LONG and LONG RAW
            return super().fetch(statement, forms)
        return typed(pa.table(found).columns, forms)

    def stream(self, statement: Sql, forms: Sequence[Form], rows: int, widest: int) -> Pieces:
        try:
            yield from self._frames(statement, forms, rows)
        except oracledb.NotSupportedError:
            yield from super().stream(statement, forms, rows, widest)

    def _frames(self, statement: Sql, forms: Sequence[Form], rows: int) -> Iterator[list[pa.Array]]:
        text, values = statement.render("named")
        for found in self._driver.fetch_df_batches(text, values or None, size=rows):
            table = pa.table(found)
            if table.num_rows:
                yield typed(table.columns, forms)

    @property
    def _driver(self) -> Any:
        return self._connection.connection.driver_connection
