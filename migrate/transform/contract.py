"""The mapping contract: what a plan's SQL may say, compiled on empty tables.

Nothing here sees a row, so whatever the engine says of a query speaks of the
query alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import duckdb
import pyarrow as pa

from migrate.core.closing import Closing
from migrate.core.flow import FlowSpec
from migrate.transform.engine import MESSAGE, PAIRS, Engine
from migrate.transform.relation import relation_schema, without_payload
from migrate.transform.sqlshape import one_condition, one_select, rows_kept_apart
from migrate.transform.sqltree import Rules, first_line

POSITION = "position"
SUBJECT = "_subject"
ORDER_KEY = "_order_key"

_INTEGERS = {
    *("tinyint", "smallint", "integer", "bigint", "hugeint"),
    *("utinyint", "usmallint", "uinteger", "ubigint", "uhugeint"),
}
_PLAIN = {"boolean": pa.bool_(), "date": pa.date32()}
_REMEDIES = {
    "decimal": "cast it to VARCHAR: decimals leave as text",
    "double": "cast it to DECIMAL and VARCHAR: numbers with a fraction leave as text",
    "float": "cast it to DECIMAL and VARCHAR: numbers with a fraction leave as text",
    "timestamp": "use rfc3339(…): instants leave as text",
    "timestamp with time zone": "use rfc3339(…): instants leave as text",
    "null": "cast the NULL to its type",
    "map": "use a STRUCT, or a LIST of STRUCTs",
}


class Broken(Exception):
    """A query breaks the contract; `problem` says how, without any row's value."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Shape:
    """What a mapping returns: its body's members in order, and which of the optional columns.

    Member types are bool, int64, date32, string, and struct and list of these.
    """

    members: tuple[tuple[str, pa.DataType], ...]
    subject: bool
    order_key: bool

    @property
    def struct(self) -> pa.DataType:
        """The members as one struct."""
        return pa.struct([pa.field(name, kind) for name, kind in self.members])


class Contract(Closing):
    """Compiles the SQL of one flow. Raises PlanError for reference tables that cannot be used."""

    def __init__(self, flow: FlowSpec, tables: Mapping[str, pa.Table]) -> None:
        self._flow = flow
        self._tables = tuple(tables)
        self._engine = Engine({name: table.slice(0, 0) for name, table in tables.items()})
        self._rules = Rules(self._engine)
        self._engine.declare(MESSAGE, relation_schema(flow.payload))

    def condition(self, when: str) -> None:
        """Raises Broken unless `when` is a BOOLEAN over `message`."""
        problem = one_condition(when)
        if problem:
            raise Broken(problem)
        sql = condition_query(when)
        columns = self._compiled(sql)
        self._apart(sql)
        if columns[1][1].id != "boolean":
            raise Broken(f"is no BOOLEAN but {columns[1][1]}")

    def needs_payload(self, whens: tuple[str, ...]) -> list[bool]:
        """For each condition, whether it mentions what only the payload can tell."""
        self._engine.declare(MESSAGE, without_payload(self._flow.payload))
        try:
            return [not self._compiles(condition_query(when)) for when in whens]
        finally:
            self._engine.declare(MESSAGE, relation_schema(self._flow.payload))

    def mapping(self, sql: str) -> Shape:
        """What a mapping returns. Raises Broken where it breaks the contract."""
        problem = one_select(sql)
        if problem:
            raise Broken(problem)
        columns = self._compiled(sql)
        self._apart(sql)
        return _shape(columns)

    def invariant(self, sql: str, shape: Shape) -> None:
        """Raises Broken unless `sql` selects `legacy_id` over the `pairs` of an output."""
        problem = one_select(sql)
        if problem:
            raise Broken(problem)
        self._engine.declare(PAIRS, pairs_schema(self._flow, shape))
        names = [name for name, _ in self._compiled(sql, PAIRS)]
        if "legacy_id" not in names:
            raise Broken("does not select legacy_id")

    def _compiled(
        self, sql: str, relation: str = MESSAGE
    ) -> list[tuple[str, duckdb.sqltypes.DuckDBPyType]]:
        problem = self._rules.problem(sql, (relation, *self._tables))
        if problem:
            raise Broken(problem)
        try:
            return self._engine.describe(sql)
        except duckdb.Error as error:
            raise Broken(f"does not compile: {first_line(str(error))}") from None

    def _compiles(self, sql: str) -> bool:
        try:
            self._engine.describe(sql)
        except duckdb.Error:
            return False
        return True

    def _apart(self, sql: str) -> None:
        problem = rows_kept_apart(sql)
        if problem:
            raise Broken(problem)

    def close(self) -> None:
        """Close the engine."""
        self._engine.close()


def condition_query(when: str) -> str:
    """A condition as a query over `message`; the line break ends a comment at its end."""
    return f"SELECT position, ({when}\n) AS holds FROM {MESSAGE}"


def pairs_schema(flow: FlowSpec, shape: Shape) -> pa.Schema:
    """The relation `pairs` of one output: legacy_id, message_id, and both sides as structs."""
    legacy = pa.struct(list(relation_schema(flow.payload)))
    return pa.schema(
        [
            ("legacy_id", pa.string()),
            ("message_id", pa.string()),
            ("legacy", legacy),
            ("message", shape.struct),
        ]
    )


def _shape(columns: list[tuple[str, duckdb.sqltypes.DuckDBPyType]]) -> Shape:
    names = [name.lower() for name, _ in columns]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise Broken(f'returns two columns named "{repeated[0]}"')
    types = dict(columns)
    position = types.pop(POSITION, None)
    if position is None or position.id != "bigint":
        raise Broken("does not return position")
    for name in (SUBJECT, ORDER_KEY):
        kind = types.get(name)
        if kind is not None and str(kind) != "VARCHAR":
            raise Broken(f"returns {name} as {kind}, not VARCHAR")
    subject = types.pop(SUBJECT, None) is not None
    order_key = types.pop(ORDER_KEY, None) is not None
    members = tuple((name, _arrow_type(kind, name)) for name, kind in types.items())
    if not members:
        raise Broken("returns nothing for the message's body")
    return Shape(members, subject, order_key)


def _arrow_type(kind: duckdb.sqltypes.DuckDBPyType, place: str) -> pa.DataType:
    if kind.id in _INTEGERS:
        return pa.int64()
    if kind.id in _PLAIN:
        return _PLAIN[kind.id]
    if str(kind) == "VARCHAR":
        return pa.string()
    if kind.id == "list":
        return pa.list_(_arrow_type(_children(kind)[0][1], f"{place}[]"))
    if kind.id == "struct":
        return pa.struct(
            [(name, _arrow_type(child, f"{place}.{name}")) for name, child in _children(kind)]
        )
    remedy = _REMEDIES.get(kind.id, "cast it to VARCHAR")
    raise Broken(f"returns {place} as {kind}; {remedy}")


def _children(kind: duckdb.sqltypes.DuckDBPyType) -> list[tuple[str, duckdb.sqltypes.DuckDBPyType]]:
    """A nested type's parts; the driver's hints say it could also be a decimal's or an enum's."""
    return cast("list[tuple[str, duckdb.sqltypes.DuckDBPyType]]", kind.children)
