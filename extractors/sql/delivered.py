"""Which endpoints of the legacy store have acknowledged the messages of a page.

The plan's query names the key columns and the endpoint. It is joined with the
page's own rows, so that the database decides which keys are equal, and is
read no further than the page.
"""

from collections.abc import Sequence

from extractors.sql.catalogue import Column
from extractors.sql.cells import texts
from extractors.sql.dialects.base import Form
from extractors.sql.scan import Scan, cells_of, forms_of
from extractors.sql.sessions import Session
from extractors.sql.statement import Part, Sql, all_of
from migrate.core.identity import key_text

_ENDPOINT = Column("isb_endpoint", "any", "")
_QUERY = "isb_delivered"


def delivered_to(session: Session, scan: Scan, page: Sequence[Part]) -> dict[str, list[str]]:
    """Source key → endpoints, sorted, each once; `page`: the conditions of the page's rows."""
    statement, forms = delivered_sql(scan, page)
    arrays = session.fetch(statement, forms)
    columns = cells_of(scan.dialect, [*scan.key, _ENDPOINT], arrays)
    found: dict[str, set[str]] = {}
    for *key, endpoint in zip(*(texts(column).to_pylist() for column in columns), strict=True):
        if endpoint is not None:
            found.setdefault(key_text(key), set()).add(endpoint)
    return {key: sorted(endpoints) for key, endpoints in found.items()}


def delivered_sql(scan: Scan, page: Sequence[Part]) -> tuple[Sql, list[Form]]:
    """The statement, and the forms of the key columns and the endpoint."""
    names = [f"isb_key_{number}" for number in range(1, len(scan.key) + 1)]
    keys = [f"{scan.name}.{scan.dialect.quote(column.name)}" for column in scan.key]
    same = [f"{ours} = {_QUERY}.{theirs}" for ours, theirs in zip(keys, names, strict=True)]
    endpoint = scan.dialect.forms(_ENDPOINT, f"{_QUERY}.{_ENDPOINT.name}")
    forms = [*forms_of(scan.dialect, scan.key), *endpoint]
    listed = ", ".join(form.expression for form in forms)
    statement = Sql(
        f"WITH {_QUERY} ({', '.join([*names, _ENDPOINT.name])}) AS (\n{scan.source.delivered}\n) ",
        f"SELECT {listed} FROM {scan.name} JOIN {_QUERY} ON {' AND '.join(same)} WHERE ",
        all_of(page),
    )
    return statement, forms
