"""Names for payload fields: SQL can use them unquoted, and the plan accepts them."""

import re
from collections.abc import Sequence
from functools import cache

import duckdb

from migrate.plan.words import RESERVED_COLUMNS

_LONGEST = 60


def field_names(paths: Sequence[Sequence[str]]) -> list[str]:
    """A name for each path: of its last step; with the steps before it where that is taken."""
    taken: set[str] = set()
    names: list[str] = []
    for path in paths:
        name = _free(path, taken)
        taken.add(name)
        names.append(name)
    return names


def _free(path: Sequence[str], taken: set[str]) -> str:
    name = ""
    for depth in range(1, min(len(path), 3) + 1):
        name = identifier("_".join(path[-depth:]))
        if name not in taken:
            return name
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"


def identifier(text: str) -> str:
    """A lower-case SQL identifier made of any text: `custodyNo` is `custody_no`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text)
    plain = re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")[:_LONGEST].rstrip("_")
    if not plain or plain[0].isdigit():
        plain = f"field_{plain}".rstrip("_")
    plain = plain.replace("__kind", "_kind")
    return f"payload_{plain}" if plain in RESERVED_COLUMNS or plain in _keywords() else plain


@cache
def _keywords() -> frozenset[str]:
    """Words that DuckDB does not take for a column without quotes everywhere."""
    asked = "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category <> 'unreserved'"
    with duckdb.connect() as connection:
        return frozenset(row[0].lower() for row in connection.execute(asked).fetchall())
