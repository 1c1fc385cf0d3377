"""Reference tables: every column text, every row kept, duplicates included.

An empty CSV field is the empty text, not NULL: CSV cannot tell them apart, and
a code list with a blank in it should not silently join nothing.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from migrate.core.errors import LegacyUnreadable, MigrateError, PlanError
from migrate.core.ports import LegacyStore
from migrate.plan.plan import Plan, TableSpec
from migrate.plan.problem import PlanProblems, Problem, of_error
from migrate.plan.stores import open_store

_HEADER_BYTES = 1 << 20


def read_tables(plan: Plan) -> dict[str, pa.Table]:
    """All reference tables of a plan by name; every column string.

    Raises PlanError for files, LegacyUnreadable where a store cannot be queried.
    """
    tables, problems = try_tables(plan)
    for problem in problems:
        if problem.code == LegacyUnreadable.exit_code:
            raise LegacyUnreadable(f"{problem.where}: {problem.message}", hint=problem.hint)
    if problems:
        raise PlanProblems(plan.file, problems)
    return tables


def try_tables(plan: Plan) -> tuple[dict[str, pa.Table], list[Problem]]:
    """Every reference table that can be read, and what is wrong with the others."""
    tables: dict[str, pa.Table] = {}
    problems: list[Problem] = []
    opened: dict[str, LegacyStore] = {}
    try:
        for name, spec in plan.tables.items():
            try:
                tables[name] = _read(plan, spec, opened)
            except MigrateError as error:
                problems.append(of_error(f"tables.{name}", error))
    finally:
        for store in opened.values():
            store.close()
    return {name: tables[name] for name in plan.tables if name in tables}, problems


def read_table(plan: Plan, spec: TableSpec) -> pa.Table:
    """One table that a plan names, every column string. Errors as for read_tables."""
    opened: dict[str, LegacyStore] = {}
    try:
        return _read(plan, spec, opened)
    finally:
        for store in opened.values():
            store.close()


def _read(plan: Plan, spec: TableSpec, opened: dict[str, LegacyStore]) -> pa.Table:
    if spec.path is not None:
        return read_file(spec.path)
    assert spec.store is not None and spec.query is not None
    if spec.store not in opened:
        opened[spec.store] = open_store((plan.table_stores or plan.stores)[spec.store])
    return _as_text(opened[spec.store].table(spec.query))


def read_file(path: Path) -> pa.Table:
    """A CSV (UTF-8, header record) or Parquet file as a table of strings. Raises PlanError."""
    try:
        table = _csv(path) if path.suffix.lower() == ".csv" else pq.read_table(path)
    except PlanError:
        raise
    except FileNotFoundError:
        raise PlanError(f"{path} does not exist") from None
    except (OSError, pa.ArrowException):
        kind = path.suffix.lstrip(".").upper() or "Parquet"
        raise PlanError(f"{path} cannot be read as {kind}", hint=_hint(path)) from None
    _distinct(path, table.column_names)
    return _as_text(table)


def _csv(path: Path) -> pa.Table:
    names = _header(path)
    _distinct(path, names)
    return pa_csv.read_csv(
        path,
        parse_options=pa_csv.ParseOptions(newlines_in_values=True),
        convert_options=pa_csv.ConvertOptions(
            column_types={name: pa.string() for name in names},
            strings_can_be_null=False,
        ),
    )


def _header(path: Path) -> list[str]:
    """The column names of a CSV file. Raises PlanError."""
    with path.open("rb") as source:
        start = source.read(_HEADER_BYTES)
    try:
        text = start.decode(
            "utf-8-sig", errors="strict" if len(start) < _HEADER_BYTES else "ignore"
        )
        return next(csv.reader(io.StringIO(text), strict=True))
    except UnicodeDecodeError:
        raise PlanError(f"{path} is not UTF-8", hint="save the file as UTF-8") from None
    except (StopIteration, csv.Error):
        raise PlanError(
            f"{path} has no header record", hint="the first names the columns"
        ) from None


def _distinct(path: Path, names: Iterable[str]) -> None:
    """Columns need names that SQL tells apart. Raises PlanError."""
    counted = Counter(name.lower() for name in names)
    twice = [name for name, count in counted.items() if count > 1]
    if twice:
        raise PlanError(
            f'{path} has two columns "{twice[0]}"', hint="SQL does not see upper and lower case"
        )
    if any(not name.strip() for name in counted):
        raise PlanError(f"{path} has a column without a name", hint="see its header record")


def _hint(path: Path) -> str:
    if path.suffix.lower() == ".csv":
        return (
            "UTF-8, and as many fields in every record as in the header; "
            "fields with commas stand in quotes"
        )
    return "is it a Parquet file, whole?"


def _as_text(table: pa.Table) -> pa.Table:
    """Every column cast to string. Raises PlanError for what has no text."""
    columns = []
    for name in table.column_names:
        column = table.column(name)
        if not _has_text(column.type):
            raise PlanError(
                f'column "{name}" is {column.type}, which has no text', hint="leave it out"
            )
        columns.append(column.cast(pa.string()))
    return pa.table(columns, names=table.column_names)


def _has_text(kind: pa.DataType) -> bool:
    kinds = pa.types
    binary = (kinds.is_binary, kinds.is_large_binary, kinds.is_fixed_size_binary)
    return not kinds.is_nested(kind) and not any(is_kind(kind) for is_kind in binary)
