"""Counting without reading: populations with their control totals, claims, inventory.

Every control total comes with a plain query without parameters: an auditor can
paste it and compare.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from extractors.sql.catalogue import Table
from extractors.sql.cells import text_at
from extractors.sql.check import is_time
from extractors.sql.dialects.base import Dialect, Form, KeyValue
from extractors.sql.duplicates import duplicate_keys
from extractors.sql.guard import tables_of
from extractors.sql.scan import Scan, cells_of, forms_of
from extractors.sql.sessions import Session
from extractors.sql.statement import Part, Sql, all_of
from migrate.core.flow import SourceSpec
from migrate.core.identity import legacy_id_of_key
from migrate.core.ports import Claim, Container, Control, Population


def population(session: Session, scan: Scan) -> Population:
    """What a source holds now, in one transaction."""
    rows = _count(session, scan, scan.conditions())
    controls = [rows, *_body_bytes(session, scan)]
    sealed: dict[str, int] = {}
    high = None
    if scan.source.key:
        found, high = _ends(session, scan)
        controls.extend(found)
        nulls = _count(session, scan, scan.without_key()).value if scan.may_lack_key else "0"
        sealed["null_keys"] = int(nulls)
        sealed["shared_keys"] = len(duplicate_keys(session, scan))
    return Population(int(rows.value), high, tuple(controls), sealed)


def _count(session: Session, scan: Scan, conditions: Sequence[Part]) -> Control:
    query = Sql(f"SELECT {scan.dialect.count} FROM {scan.name}", _where(conditions))
    return Control("rows", str(query), str(_number(session, query)))


def _body_bytes(session: Session, scan: Scan) -> Iterator[Control]:
    name = scan.source.column("body")
    octets = scan.dialect.exact_octets(scan.table.column(name)) if name else None
    if octets is None:
        return
    total = scan.dialect.integer(f"COALESCE(SUM({octets}), 0)")
    query = Sql(f"SELECT {total} FROM {scan.name}", _where(scan.conditions()))
    yield Control("body_bytes", str(query), str(_number(session, query)))


def _ends(session: Session, scan: Scan) -> tuple[list[Control], str | None]:
    """The keys of the first and the last row in the source's order, and the whole last tuple."""
    first = _end(session, scan, "first_key", scan.keyset.order)
    last = _end(session, scan, "last_key", scan.keyset.backwards)
    if first is None or last is None:
        return [], None
    return [first[0], last[0]], json.dumps(last[1], ensure_ascii=False)


def _end(
    session: Session, scan: Scan, name: str, order: Sql
) -> tuple[Control, list[KeyValue]] | None:
    """The first row of an order: its key as a control, and its tuple; None if there is no row."""
    tail = Sql(_where(scan.with_key()), " ORDER BY ", order, scan.dialect.limit(1))
    columns = [*scan.key, *scan.keyset.columns]
    forms = forms_of(scan.dialect, columns)
    listed = ", ".join(form.expression for form in forms)
    arrays = session.fetch(Sql(f"SELECT {listed} FROM {scan.name}", tail), forms)
    if not len(arrays[0]):
        return None
    cells = list(cells_of(scan.dialect, columns, arrays))
    key = [text_at(column, 0) or "" for column in cells[: len(scan.key)]]
    names = ", ".join(scan.dialect.quote(column.name) for column in scan.key)
    plain = Sql(f"SELECT {names} FROM {scan.name}", tail)
    values = scan.keyset.values(cells[len(scan.key) :], 0)
    return Control(name, str(plain), legacy_id_of_key(key)), values


def _where(conditions: Sequence[Part]) -> Sql:
    return Sql(" WHERE ", all_of(conditions)) if conditions else Sql("")


def _number(session: Session, query: Sql) -> int:
    value: int | None = session.fetch(query, [Form("", "integer")])[0][0].as_py()
    return value or 0


def claims(
    session: Session,
    dialect: Dialect,
    tables: Sequence[Table],
    scans: Sequence[Scan],
    out_of_scope: Sequence[tuple[str, str]],
) -> Iterator[Claim]:
    """The records of every table, by how many flows claim them.

    A table that flows only name in `delivered` is claimed by being read along
    with theirs; one that is out of scope counts as claimed once more.
    """
    along = _read_along([scan.source for scan in scans], dialect.backend)
    for table in tables:
        name = table.label
        flows = [scan.source for scan in scans if scan.table.label == table.label]
        declared = any(fnmatchcase(name, pattern) for pattern, _ in out_of_scope)
        if flows:
            yield from _claimed(session, dialect, table, flows, extra=int(declared))
            continue
        rows = _number(session, Sql(f"SELECT {dialect.count} FROM {dialect.table(table)}"))
        beside = tuple(along.get(table.name, ()))
        yield Claim(name, int(declared or bool(beside)), rows, beside)


def _read_along(sources: Sequence[SourceSpec], backend: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for source in sources:
        for table in tables_of(source.delivered, backend) if source.delivered else ():
            found.setdefault(table, []).append(source.flow)
    return found


def _claimed(
    session: Session, dialect: Dialect, table: Table, sources: Sequence[SourceSpec], *, extra: int
) -> Iterator[Claim]:
    """One pass: how many rows satisfy none, one, several of the predicates, and whose."""
    names = [f"isb_flow_{number}" for number in range(1, len(sources) + 1)]
    holds = [_holds(source, name) for source, name in zip(sources, names, strict=True)]
    by_flow = ", ".join(dialect.total(name) for name in names)
    count, rows_each = " + ".join(names), dialect.integer(dialect.count)
    query = Sql(
        f"SELECT {dialect.integer(count)}, {rows_each}, {by_flow} FROM (SELECT ",
        f"{', '.join(holds)} FROM {dialect.table(table)}) isb_claims GROUP BY {count}",
    )
    columns = session.fetch(query, [Form("", "integer")] * (2 + len(names)))
    found = sorted(zip(*(column.to_pylist() for column in columns), strict=True))
    for claimed, rows, *each in found:
        flows = tuple(s.flow for s, n in zip(sources, each, strict=True) if n)
        yield Claim(table.label, claimed + extra, rows, flows)
    if not found:
        yield Claim(table.label, 1 + extra, 0, tuple(s.flow for s in sources))


def _holds(source: SourceSpec, name: str) -> str:
    if source.where is None:
        return f"1 {name}"
    return f"CASE WHEN ({source.where}\n) THEN 1 ELSE 0 END {name}"


def containers(session: Session, dialect: Dialect, tables: Sequence[Table]) -> Iterator[Container]:
    """Every table with its rows, its bytes and, where a column obviously says so, its age."""
    for table in tables:
        scan = Scan(dialect, table, SourceSpec(flow="", store="", from_=table.name))
        octets = dialect.integer(f"COALESCE(SUM({scan.octets(table.columns)}), 0)")
        rows = _number(session, Sql(f"SELECT {dialect.count} FROM {scan.name}"))
        size = _number(session, Sql(f"SELECT {octets} FROM {scan.name}"))
        names = tuple(column.name for column in table.columns)
        detail: dict[str, object] = {
            "types": {column.name: column.declared for column in table.columns}
        }
        detail.update(_age(session, scan))
        yield Container(table.label, rows, size, names, detail)


def _age(session: Session, scan: Scan) -> dict[str, dict[str, str | None]]:
    """`written`: the column, oldest and newest."""
    column = next((column for column in scan.table.columns if is_time(column)), None)
    if column is None:
        return {}
    name = scan.dialect.quote(column.name)
    ends = [replace(column, name=end) for end in ("oldest", "newest")]
    pairs = zip(ends, (f"MIN({name})", f"MAX({name})"), strict=True)
    forms = [form for end, text in pairs for form in scan.dialect.forms(end, text)]
    listed = ", ".join(form.expression for form in forms)
    arrays = session.fetch(Sql(f"SELECT {listed} FROM {scan.name}"), forms)
    oldest, newest = (text_at(cells, 0) for cells in cells_of(scan.dialect, ends, arrays))
    return {"written": {"column": column.name, "oldest": oldest, "newest": newest}}
