"""What a plan author's SQL may be: one condition, or one SELECT, and nothing else.

Conditions are put between parentheses into our own statements, queries into a
common table expression. Parsing them first keeps a stray parenthesis, a
comment or a second statement from changing what the statement around them means.
"""

from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

_DIALECTS = {
    "sqlite": "sqlite",
    "postgresql": "postgres",
    "mysql": "mysql",
    "mariadb": "mysql",
    "oracle": "oracle",
    "mssql": "tsql",
    "duckdb": "duckdb",
    "snowflake": "snowflake",
}
_WRITES = (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.DDL, exp.Command, exp.Into, exp.Lock)


def wrong_condition(text: str, backend: str) -> str | None:
    """Why a text is no single SQL condition of this database; None if it is one."""
    tree = _parse(f"SELECT 1 WHERE {text}\n", backend)
    if isinstance(tree, str):
        return tree
    extra = [name for name, value in tree.args.items() if value and name not in _BARE]
    if not isinstance(tree, exp.Select) or extra:
        return "is more than one condition"
    return _forbidden(tree)


def wrong_query(text: str, backend: str) -> str | None:
    """Why a text is no single SELECT of this database; None if it is one."""
    tree = _parse(text, backend)
    if isinstance(tree, str):
        return tree
    if not isinstance(tree, exp.Query):
        return "is no SELECT"
    return _forbidden(tree)


def tables_of(text: str, backend: str) -> set[str]:
    """The names of all tables a query reads, without its own common table expressions."""
    tree = _parse(text, backend)
    if isinstance(tree, str):
        return set()
    own = {cte.alias for cte in tree.find_all(exp.CTE)}
    return {table.name for table in tree.find_all(exp.Table)} - own


_BARE = {"expressions", "where", "kind", "hint"}


def _parse(text: str, backend: str) -> Any:
    """The one statement of a text, or in words why there is none."""
    try:
        trees = sqlglot.parse(text, dialect=_DIALECTS.get(backend))
    except SqlglotError:
        return f"cannot be read as SQL of {backend}"
    found = [tree for tree in trees if tree is not None]
    if len(found) != 1:
        return "is not one statement"
    return found[0]


def _forbidden(tree: Any) -> str | None:
    if tree.find(*_WRITES):
        return "would change something"
    hints = " ".join(hint.sql().upper() for hint in tree.find_all(exp.WithTableHint))
    if any(word in hints for word in _DIRTY):
        return "would read what is not committed"
    return None


_DIRTY = ("NOLOCK", "READUNCOMMITTED")
