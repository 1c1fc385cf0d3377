"""DuckDB's functions, and which of them do not give the same result every time."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from migrate.transform.engine import Engine
from migrate.transform.jsontree import nodes

_CLOCKS = {"age", "current_localtime", "current_localtimestamp"}
"""They read the clock although DuckDB lists them as CONSISTENT."""

_STEADY = {"error"}
"""Listed as VOLATILE so that it is not evaluated early; it only ever fails."""

KEYWORDS = {"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"}
"""Names that read the clock without parentheses; within a macro the plan no longer shows them."""
_LISTED = """
    SELECT lower(function_name), function_type, coalesce(stability, ''), macro_definition
    FROM duckdb_functions() WHERE function_type IN ('scalar', 'aggregate', 'macro')"""


class Functions:
    """What one version of DuckDB can call."""

    def __init__(self) -> None:
        with Engine({}) as engine:
            listed = engine.texts(_LISTED)
        self.aggregates = {name for name, kind, _, _ in listed if kind == "aggregate"}
        self._unsteady = (
            _CLOCKS
            | KEYWORDS
            | {
                str(name)
                for name, kind, stability, _ in listed
                if kind == "scalar" and stability != "CONSISTENT" and name not in _STEADY
            }
        )
        self._macros = {
            str(name): definition for name, kind, _, definition in listed if kind == "macro"
        }

    def is_unsteady(self, name: str, engine: Engine) -> bool:
        """Whether a function, or what a macro stands for, reads a clock, a seed or a setting.

        `engine` takes macros apart.
        """
        definition = self._macros.pop(name, None)
        if name in self._unsteady or definition is None:
            return name in self._unsteady
        tree = json.loads(engine.syntax_tree(f"SELECT {definition}"))
        if any(self.is_unsteady(each, engine) for each in _called(tree)):
            self._unsteady.add(name)
        return name in self._unsteady


@cache
def functions() -> Functions:
    """The functions of the DuckDB that is installed, asked once."""
    return Functions()


def _called(tree: Any) -> Iterator[str]:
    """The functions that a macro's definition calls, and the keywords that stand for one."""
    for node in nodes(tree):
        if "function_name" in node:
            yield node["function_name"].lower()
        elif node.get("class") == "COLUMN_REF" and len(node["column_names"]) == 1:
            yield node["column_names"][0].lower()
