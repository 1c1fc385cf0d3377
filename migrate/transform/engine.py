"""DuckDB as a calculator: in memory, no files, no network, one time zone, one thread.

Settings that would let data decide how a mapping is evaluated are off, so that
a row's result does not depend on the rows beside it.
"""

from collections.abc import Callable, Mapping

import duckdb
import numpy as np
import pyarrow as pa

from migrate.core.closing import Closing
from migrate.core.errors import MigrateError, PlanError
from migrate.transform.names import literal, quoted

MESSAGE = "message"
PAIRS = "pairs"

_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "python_enable_replacements": False,
    "temp_directory": "",
}
_SETTINGS = (
    "SET TimeZone = 'UTC'",
    "SET Calendar = 'gregorian'",
    "SET preserve_insertion_order = true",
    "SET scalar_subquery_error_on_multiple_rows = true",
    "SET disabled_optimizers = 'statistics_propagation,join_filter_pushdown'",
)
RFC3339 = """CREATE MACRO rfc3339(ts) AS CASE
    WHEN date_part('microsecond', ts::TIMESTAMPTZ) % 1000000 = 0
    THEN strftime(ts::TIMESTAMPTZ, '%Y-%m-%dT%H:%M:%SZ')
    ELSE strftime(ts::TIMESTAMPTZ, '%Y-%m-%dT%H:%M:%S.%fZ') END"""
_FATAL = (duckdb.InternalException, duckdb.FatalException, duckdb.InterruptException)


class Unanswered(Exception):
    """A query failed on some row. Carries nothing of the engine's text: it prints values."""


class _Window:
    """What DuckDB reads as `message`, by the Arrow stream interface: the relation now shown."""

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._nothing = schema.empty_table()
        self._table = self._nothing

    def show(self, relation: pa.Table) -> None:
        if relation.column_names == self._schema.names:
            self._table = relation
            return
        columns = [
            relation.column(field.name)
            if field.name in relation.column_names
            else pa.nulls(len(relation), field.type)
            for field in self._schema
        ]
        self._table = pa.Table.from_arrays(columns, schema=self._schema)

    def hide(self) -> None:
        self._table = self._nothing

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)


class Engine(Closing):
    """A locked DuckDB with the reference tables in it; not for several threads at once.

    Reference tables enter with every column as VARCHAR. `message`: the columns of the relation
    that `select` asks about. Raises PlanError for a table whose name is taken or whose columns
    are no text.
    """

    def __init__(
        self,
        tables: Mapping[str, pa.Table],
        *,
        message: pa.Schema | None = None,
        threads: int = 1,
    ) -> None:
        self._window = _Window(message or pa.schema([]))
        self._prepared: dict[str, str] = {}
        self._connection = duckdb.connect(":memory:", config={**_CONFIG, "threads": threads})
        for setting in (*_SETTINGS, RFC3339):
            self._connection.execute(setting)
        for name, table in tables.items():
            self._add_table(name, table)
        if message is not None:
            self._connection.register(MESSAGE, self._window)
        self._connection.execute("SET arrow_large_buffer_size = true")
        self._connection.execute("SET lock_configuration = true")

    def _add_table(self, name: str, table: pa.Table) -> None:
        if name.lower() in (MESSAGE, PAIRS):
            raise PlanError("this name is taken", key=f"tables.{name}")
        try:
            text = table.cast(pa.schema([(column, pa.string()) for column in table.column_names]))
            self._connection.register("isb_reference", text)
            self._connection.execute(f"CREATE TABLE {quoted(name)} AS SELECT * FROM isb_reference")
            self._connection.unregister("isb_reference")
        except (pa.ArrowException, duckdb.Error):
            raise PlanError("cannot be used as a table of texts", key=f"tables.{name}") from None

    def declare(self, name: str, schema: pa.Schema) -> None:
        """Create an empty table of this name and shape, to try queries on."""
        self._connection.execute(f"DROP TABLE IF EXISTS {quoted(name)}")
        self._connection.register("isb_shape", schema.empty_table())
        self._connection.execute(f"CREATE TABLE {quoted(name)} AS SELECT * FROM isb_shape")
        self._connection.unregister("isb_shape")

    def describe(self, sql: str) -> list[tuple[str, duckdb.sqltypes.DuckDBPyType]]:
        """Names and types of a query's columns. Raises duckdb.Error if it does not compile."""
        relation = self._connection.sql(sql)
        return list(zip(relation.columns, relation.types, strict=True))

    def texts(self, sql: str) -> list[tuple[str | None, ...]]:
        """All rows of a query about the engine itself."""
        return self._connection.execute(sql).fetchall()

    def syntax_tree(self, sql: str) -> str:
        """DuckDB's own parse of a query, as JSON."""
        return str(
            self._connection.sql(f"SELECT json_serialize_sql({literal(sql)})").fetchall()[0][0]
        )

    def bound_plan(self, sql: str) -> str:
        """DuckDB's bound plan of a query, as JSON: every function, every cast, every type."""
        plan = f"SELECT json_serialize_plan({literal(sql)}, optimize := false)"
        return str(self._connection.sql(plan).fetchall()[0][0])

    def select(self, sql: str, relation: pa.Table) -> pa.Table:
        """A query over `message`, which is `relation`. Raises Unanswered when a row of it fails.

        Columns of `message` that the relation lacks are null. A query is planned once, before
        it sees any row, so that the plan is the same for every batch.
        """
        self._window.show(relation)
        try:
            return self._connection.sql(f"EXECUTE {self._statement(sql)}").to_arrow_table()
        except _FATAL:
            raise MigrateError("the SQL engine failed", hint="run the command again") from None
        except duckdb.Error:
            raise Unanswered from None
        finally:
            self._window.hide()

    def _statement(self, sql: str) -> str:
        if sql not in self._prepared:
            name = f"isb_query_{len(self._prepared)}"
            self._connection.execute(f"PREPARE {name} AS {sql}")
            self._prepared[sql] = name
        return self._prepared[sql]

    def close(self) -> None:
        """Give the memory back."""
        self._connection.close()


def by_halves(
    relation: pa.Table, ask: Callable[[pa.Table], pa.Table]
) -> tuple[list[pa.Table], list[int]]:
    """Ask about a relation; where that fails, about its halves, down to single rows.

    `ask` raises Unanswered. Returns the answers, and the positions of the rows
    that fail on their own.
    """
    answers: list[pa.Table] = []
    failed: list[int] = []
    waiting = [relation]
    while waiting:
        part = waiting.pop()
        if not len(part):
            continue
        try:
            answers.append(ask(part))
        except Unanswered:
            if len(part) == 1:
                failed.append(part.column("position")[0].as_py())
            else:
                middle = len(part) // 2
                waiting += [part.slice(middle), part.slice(0, middle)]
    return answers, failed


def rows_at(relation: pa.Table, positions: np.ndarray) -> np.ndarray:
    """The row numbers of some positions within a relation; -1 for one it does not have."""
    own = relation.column("position").to_numpy()
    if np.array_equal(own, positions):
        return np.arange(len(own))
    order = np.argsort(own, kind="stable")
    place = np.searchsorted(own, positions, sorter=order)
    rows = order[np.minimum(place, len(own) - 1)]
    return np.where(own[rows] == positions, rows, -1)
