"""Whether the account could change the store: what the plan's reading account must not do."""

import re

from extractors.sql.connect import Server
from extractors.sql.dialects.base import Form
from extractors.sql.grants import writable
from extractors.sql.sessions import Session
from extractors.sql.statement import Bound, Sql

_WRITES = ("INSERT", "UPDATE", "DELETE", "TRUNCATE")
_GRANT = re.compile(r"GRANT (?P<rights>.+) ON (?P<on>\S+) TO ")
_MARIADB_WRITES = {
    *("ALL PRIVILEGES", "INSERT", "UPDATE", "DELETE", "DROP", "ALTER", "CREATE", "SUPER", "FILE"),
}


def can_write(session: Session, server: Server) -> str | None:
    """How the account could change the store, in words; None if it cannot."""
    if server.backend == "sqlite":
        return None  # the file is opened read-only, whoever the account is
    if server.backend == "postgresql":
        return _postgresql(session, server.spec.schema)
    if server.backend in ("mysql", "mariadb"):
        return _mariadb(session, server)
    asked = writable(server.backend, server.spec.schema)
    if asked is not None:
        return _first_of(_texts(session, asked, 2))
    return f"it cannot be told whether the account could change a {server.backend} database"


def _postgresql(session: Session, schema: str | None) -> str | None:
    holds = [
        f"CASE WHEN has_table_privilege(c.oid, '{right}') OR {_any_column(right)}"
        f" THEN '{right}' END"
        for right in _WRITES
    ]
    statement = Sql(
        "SELECT name, rights FROM (SELECT CAST(c.relname AS text) AS name,",
        f" concat_ws(', ', {', '.join(holds)}) AS rights",
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace",
        " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname = COALESCE(NULLIF(",
        Bound(schema or ""),
        ", ''), current_schema())) found WHERE rights <> '' ORDER BY name",
    )
    return _first_of(_texts(session, statement, 2))


def _first_of(found: list[tuple[str, ...]]) -> str | None:
    """(table, rights) of every table that can be changed, in words; None where there is none."""
    if not found:
        return None
    name, rights = found[0]
    others = f" and {len(found) - 1} other tables" if len(found) > 1 else ""
    return f"the account may {rights} on {name}{others}"


def _any_column(right: str) -> str:
    """INSERT and UPDATE may be granted on single columns."""
    if right not in ("INSERT", "UPDATE"):
        return "false"
    return f"has_any_column_privilege(c.oid, '{right}')"


def _mariadb(session: Session, server: Server) -> str | None:
    """By SHOW GRANTS, which knows roles too; grants on other databases do not count."""
    for (grant,) in _texts(session, Sql("SHOW GRANTS"), 1):
        match = _GRANT.match(grant)
        if match is None or not _covers(match["on"], server.url.database or ""):
            continue
        rights = {right.strip() for right in re.sub(r"\(.*?\)", "", match["rights"]).split(",")}
        if found := sorted(rights & _MARIADB_WRITES):
            return f"the account may {', '.join(found)} on {match['on'].replace('`', '')}"
    return None


def _covers(granted: str, database: str) -> bool:
    """Whether a grant's object (`*.*`, `` `isb\\_%`.* ``, a table) lies in a database."""
    name = granted.partition(".")[0].strip("`")
    if name == "*":
        return True
    pattern = re.escape(name).replace(r"\\_", "_").replace("%", ".*")
    return re.fullmatch(pattern, database) is not None


def _texts(session: Session, statement: Sql, width: int) -> list[tuple[str, ...]]:
    arrays = session.fetch(statement, [Form("", "text")] * width)
    columns = [[(value or b"").decode() for value in array.to_pylist()] for array in arrays]
    return list(zip(*columns, strict=True))
