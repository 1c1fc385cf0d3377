"""Reference tables by query: every column as text."""

import pyarrow as pa

from extractors.sql.catalogue import Column
from extractors.sql.cells import texts
from extractors.sql.dialects.base import Dialect
from extractors.sql.scan import cells_of, forms_of
from extractors.sql.sessions import Session
from extractors.sql.statement import Sql
from migrate.core.errors import LegacyUnreadable


def reference_table(session: Session, dialect: Dialect, query: str) -> pa.Table:
    """The result of a SELECT, all columns string. Raises LegacyUnreadable for what is no text."""
    names = [dialect.plain_name(name) for name in session.names(Sql(f"{query}\n"))]
    if len(set(names)) < len(names):
        raise LegacyUnreadable(
            "a reference query names two columns alike", hint="name every column with AS"
        )
    columns = [Column(f"isb_{number}", "any", "") for number in range(1, len(names) + 1)]
    forms = forms_of(dialect, columns)
    ours = ", ".join(column.name for column in columns)
    listed = ", ".join(form.expression for form in forms)
    statement = Sql(f"WITH isb_query ({ours}) AS (\n{query}\n) SELECT {listed} FROM isb_query")
    arrays = session.fetch(statement, forms)
    found = list(cells_of(dialect, columns, arrays))
    for name, cells in zip(names, found, strict=True):
        if cells.unreadable is not None:
            raise LegacyUnreadable(
                f'column "{name}" of a reference query holds text that is not UTF-8',
                hint="mend the table, or select the column as hexadecimal",
            )
    return pa.table([texts(cells).cast(pa.string()) for cells in found], names=names)
