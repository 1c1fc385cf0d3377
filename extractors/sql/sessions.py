"""Read sessions on a store: as many at a time as the plan allows, a short transaction each."""

import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TypeAlias

import pyarrow as pa

from extractors.sql.connect import Server, unloadable
from extractors.sql.dialects.base import Form, written
from extractors.sql.errors import translated
from extractors.sql.statement import Sql
from migrate.core.errors import LegacyUnreadable
from migrate.core.registry import resolve

_ARROW = {
    "text": pa.large_binary(),
    "bytes": pa.large_binary(),
    "kind": pa.string(),
    "real": pa.float64(),
    "integer": pa.int64(),
}
WAIT_S = 60
_WAYS = {
    "adbc": "extractors.sql.sessions:ArrowSession",
    "odbc": "extractors.sql.odbc:OdbcSession",
    "oracle": "extractors.sql.oracle:OracleSession",
    "rows": "extractors.sql.sessions:RowSession",
}

Pieces: TypeAlias = Generator[list[pa.Array], None, None]


class Session(Protocol):
    """One connection inside one read transaction."""

    spent: bool
    """The rest of a result is still on its way: of no more use."""

    def fetch(self, statement: Sql, forms: Sequence[Form]) -> list[pa.Array]:
        """The whole result, an array per form (text and bytes as large_binary)."""
        ...

    def names(self, statement: Sql) -> list[str]:
        """The names of the result's columns."""
        ...

    def stream(self, statement: Sql, forms: Sequence[Form], rows: int, widest: int) -> Pieces:
        """The result in pieces of about so many rows, none of more than `widest` octets; left
        before its end, the session is spent."""
        ...

    def begin(self) -> None: ...

    def finish(self) -> None:
        """End the transaction."""
        ...

    def close(self) -> None: ...


class Sessions:
    """The sessions of one store."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._name = server.spec.name
        self._free = threading.BoundedSemaphore(max(1, server.spec.sessions))
        self._idle: list[Session] = []

    @contextmanager
    def open(self) -> Iterator[Session]:
        """A session in a fresh read transaction. Raises LegacyUnreadable."""
        if not self._free.acquire(timeout=WAIT_S):
            raise LegacyUnreadable(
                f'store "{self._name}": all sessions are in use', hint="raise limits.sessions"
            )
        try:
            with translated(self._name), self._lent() as session:
                yield session
        finally:
            self._free.release()

    @contextmanager
    def _lent(self) -> Iterator[Session]:
        session = self._idle.pop() if self._idle else self._make()
        try:
            session.begin()
            yield session
            if not session.spent:
                session.finish()
        except BaseException:
            session.close()
            raise
        if session.spent:
            session.close()
        else:
            self._idle.append(session)

    @property
    def bounded(self) -> bool:
        """Whether a stream's pieces are of bounded size, however large the rows."""
        return self._server.way == "adbc" and self._server.dialect.adbc_batch_bytes is not None

    def _make(self) -> Session:
        way = self._server.way
        try:
            kind = resolve(_WAYS, way, what="way to read", extras={})
        except (ImportError, OSError):
            raise unloadable(self._server.spec, way) from None
        made: Session = kind(self._server)
        return made

    def close(self) -> None:
        """Close what is idle; sessions in use close when they fail or are closed next."""
        while self._idle:
            self._idle.pop().close()


class ArrowSession:
    """A connection by ADBC."""

    spent = False

    def __init__(self, server: Server) -> None:
        self._connection = server.arrow_connection()
        self._style = server.dialect.adbc_style
        self._sqlite = server.backend == "sqlite"
        self._batch_bytes = server.dialect.adbc_batch_bytes
        self._most = str(max(1, server.spec.batch_bytes // 2))

    def begin(self) -> None:
        """ADBC is always in a transaction."""

    def fetch(self, statement: Sql, forms: Sequence[Form]) -> list[pa.Array]:
        with self._running(statement, 1 << 30) as cursor:
            table = cursor.fetch_arrow_table()
        return typed(table.columns, forms)

    def names(self, statement: Sql) -> list[str]:
        with self._running(statement, 1) as cursor:
            return [str(column[0]) for column in cursor.description]

    def stream(self, statement: Sql, forms: Sequence[Form], rows: int, widest: int) -> Pieces:
        del widest
        with self._running(statement, rows) as cursor:
            self.spent = True
            for batch in _batches(cursor):
                for start in range(0, batch.num_rows, rows):
                    yield typed(batch.slice(start, rows).columns, forms)
            self.spent = False

    @contextmanager
    def _running(self, statement: Sql, rows: int) -> Iterator[Any]:
        text, values = statement.render(self._style)
        with self._connection.cursor() as cursor:
            if self._sqlite:
                cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": str(rows)})
            if self._batch_bytes:
                cursor.adbc_statement.set_options(**{self._batch_bytes: self._most})
            cursor.execute(text, values or None)
            yield cursor

    def finish(self) -> None:
        self._connection.rollback()

    def close(self) -> None:
        self._connection.close()


def _batches(cursor: Any) -> Any:
    """The result's record batches. The cursor's own reader loses a server's SQLSTATE on the way;
    the one behind its tables keeps it."""
    from adbc_driver_manager._reader import AdbcRecordBatchReader

    stream = cursor.fetch_arrow()  # freed with this name, so held until the reader has it
    return AdbcRecordBatchReader._import_from_c(stream.address)


class RowSession:
    """A connection by SQLAlchemy."""

    spent = False

    def __init__(self, server: Server) -> None:
        self._connection = server.engine.connect()
        self._style = server.engine.dialect.paramstyle
        self._begin = server.dialect.begin

    def begin(self) -> None:
        if self._begin:
            self._connection.exec_driver_sql(self._begin)

    def fetch(self, statement: Sql, forms: Sequence[Form]) -> list[pa.Array]:
        return _columns(self._execute(statement, stream=False).fetchall(), forms)

    def names(self, statement: Sql) -> list[str]:
        result = self._execute(statement, stream=True)
        return [str(column[0]) for column in result.cursor.description]

    def stream(self, statement: Sql, forms: Sequence[Form], rows: int, widest: int) -> Pieces:
        del widest
        result = self._execute(statement, stream=True)
        self.spent = True
        while found := result.fetchmany(rows):
            yield _columns(found, forms)
        self.spent = False

    def _execute(self, statement: Sql, *, stream: bool) -> Any:
        text, values = statement.render(self._style)
        options = {"stream_results": stream}
        bound = values if isinstance(values, dict) else tuple(values)
        return self._connection.exec_driver_sql(text, bound, execution_options=options)

    def finish(self) -> None:
        self._connection.rollback()

    def close(self) -> None:
        self._connection.close()


def typed(columns: Sequence[Any], forms: Sequence[Form]) -> list[pa.Array]:
    """A result's columns in the types of its forms."""
    return [_cast(column, _ARROW[form.type]) for column, form in zip(columns, forms, strict=True)]


def _cast(column: Any, kind: pa.DataType) -> pa.Array:
    """A column in its type; an ADBC column without a value may have any."""
    if column.null_count == len(column):
        return pa.nulls(len(column), kind)
    typed = column if column.type == kind else column.cast(kind)
    return typed.combine_chunks() if isinstance(typed, pa.ChunkedArray) else typed


def _columns(rows: Sequence[Any], forms: Sequence[Form]) -> list[pa.Array]:
    if not rows:
        return [pa.array([], _ARROW[form.type]) for form in forms]
    columns = zip(*rows, strict=True)
    return [_array(values, form) for values, form in zip(columns, forms, strict=True)]


def _array(values: Sequence[Any], form: Form) -> pa.Array:
    if form.type == "text":
        return pa.array([_utf8(value) for value in values], pa.large_binary())
    if form.type == "bytes":
        return pa.array([_bytes(value) for value in values], pa.large_binary())
    return pa.array(values, _ARROW[form.type])


def _utf8(value: Any) -> bytes | None:
    if type(value) is str:
        return value.encode()
    if value is None or isinstance(value, bytes):
        return value
    text = written(value)
    return None if text is None else text.encode()


def _bytes(value: Any) -> bytes | None:
    if value is None or type(value) is bytes:
        return value
    if hasattr(value, "read"):
        value = value.read()
    return value.encode() if isinstance(value, str) else bytes(value)
