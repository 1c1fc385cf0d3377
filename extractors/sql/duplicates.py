"""Rows that claim one declared key, where the database does not forbid them."""

from extractors.sql.cells import text_at
from extractors.sql.scan import Scan, cells_of, forms_of
from extractors.sql.sessions import Session
from extractors.sql.statement import Part, Sql, all_of
from migrate.core.errors import LegacyUnreadable
from migrate.core.identity import key_text

LIMIT = 1_000_000


def duplicate_keys(session: Session, scan: Scan) -> frozenset[str]:
    """The source keys that several rows of the source share.

    Whether two keys are one is for the database to say (its collation may take
    `a` for `A`), so every row's own text of the key is in the result. Raises
    LegacyUnreadable beyond a million: then the declared key is none.
    """
    if scan.is_unique:
        return frozenset()
    arrays = session.fetch(_statement(scan), forms_of(scan.dialect, scan.key))
    columns = list(cells_of(scan.dialect, scan.key, arrays))
    rows = len(columns[0])
    if rows > LIMIT:
        raise LegacyUnreadable(
            f'"{", ".join(scan.source.key)}" is no key of {scan.source.from_}:'
            f" more than {LIMIT:,} rows share theirs",
            hint="declare other key columns, or none: then rows are told apart by content",
        )
    return frozenset(key_text([text_at(column, row) for column in columns]) for row in range(rows))


def _statement(scan: Scan) -> Sql:
    """Every row's key whose group has several rows; the groups as a joined sub-select."""
    dialect = scan.dialect
    groups = [dialect.same_key(column) for column in scan.key]
    names = [f"isb_key_{number}" for number in range(1, len(groups) + 1)]
    listed = ", ".join(f"{group} {name}" for group, name in zip(groups, names, strict=True))
    same = " AND ".join(f"{g} = isb_shared.{n}" for g, n in zip(groups, names, strict=True))
    ours = ", ".join(form.expression for form in forms_of(dialect, scan.key))
    conditions: list[Part] = scan.with_key()
    return Sql(
        f"SELECT {ours} FROM {scan.name} JOIN (SELECT {listed} FROM {scan.name} WHERE ",
        all_of(conditions),
        f" GROUP BY {', '.join(groups)} HAVING COUNT(*) > 1) isb_shared ON {same} WHERE ",
        all_of(conditions),
        dialect.any_limit(LIMIT + 1),
    )
