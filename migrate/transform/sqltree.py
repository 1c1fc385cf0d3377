"""What a plan's SQL may not say, decided on DuckDB's own parse tree and bound plan.

The parse tree shows tables, aggregates and windows as written. The bound plan shows
what they became: every function behind a keyword or macro, every implicit
cast, every type. A second parser could be led to see something else.
"""

import json
from collections.abc import Collection, Iterator
from typing import Any

from migrate.transform.engine import Engine
from migrate.transform.functions import KEYWORDS, functions
from migrate.transform.jsontree import Node, form, nodes

_FREE_AGGREGATES = {
    *("count", "count_star", "count_if", "countif", "min", "max", "sum"),
    *("bool_and", "bool_or", "bit_and", "bit_or", "bit_xor"),
}
_FREE_WINDOWS = {*_FREE_AGGREGATES, "rank", "dense_rank", "percent_rank", "cume_dist"}
_HASH_ORDER = {"list_distinct", "array_distinct", "list_intersect", "array_intersect"}
"""Their results stand in the order of a hash table, which is the machine's."""

_SORTS = {"list_sort", "array_sort", "list_reverse_sort", "array_reverse_sort"}
_TABLE_FUNCTIONS = {"unnest", "range", "generate_series"}
_JOINS = {"REGULAR", "CROSS", "NATURAL", "DEPENDENT"}
_NESTED = {"LIST", "ARRAY", "STRUCT", "MAP", "UNION", "VARIANT"}
_BOUND_CALLS = {"BOUND_FUNCTION", "BOUND_AGGREGATE", "BOUND_WINDOW"}


class Rules:
    """The problems of queries, found with an engine that holds the tables they read."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._functions = functions()

    def problem(self, sql: str, tables: Collection[str]) -> str | None:
        """The first thing wrong with a query over these tables; None where there is none."""
        tree = json.loads(self._engine.syntax_tree(sql))
        if tree["error"]:
            return f"cannot be read as a SELECT: {first_line(tree['error_message'])}"
        if len(tree["statements"]) != 1:
            return "is more than one statement"
        known = {name.lower() for name in tables} | set(_common_tables(tree))
        sorted_at_once: set[int] = set()
        for node in nodes(tree["statements"][0]["node"]):
            sorted_at_once |= _sorted_arguments(node)
            problem = _table_problem(node, known) or self._expression_problem(node)
            if problem is None and id(node) not in sorted_at_once:
                problem = _hash_order_problem(node)
            if problem:
                return problem
        return self._plan_problem(sql)

    def _expression_problem(self, node: Node) -> str | None:
        if node.get("class") == "WINDOW":
            return _window_problem(node)
        if node.get("class") == "PARAMETER":
            return "has a parameter"
        if node.get("class") == "COLUMN_REF" and node["column_names"][-1].lower() in KEYWORDS:
            return self._function_problem(node["column_names"][-1].lower())
        if node.get("class") != "FUNCTION":
            return None
        name = node["function_name"].lower()
        if name in self._functions.aggregates and name not in _FREE_AGGREGATES:
            return _aggregate_problem(node)
        return self._function_problem(name)

    def _function_problem(self, name: str) -> str | None:
        if self._functions.is_unsteady(name, self._engine):
            return f"{name}() does not give the same result every time; use as_of for the time"
        if "json" in name or name in ("->", "->>"):
            return f"{name} loses digits of numbers; declare a payload field instead"
        return None

    def _plan_problem(self, sql: str) -> str | None:
        plan = json.loads(self._engine.bound_plan(sql))
        if plan["error"]:
            return f"does not compile: {first_line(plan['error_message'])}"
        for node in nodes(plan["plans"]):
            problem = self._bound_problem(node)
            if problem:
                return problem
        return None

    def _bound_problem(self, node: Node) -> str | None:
        if node.get("expression_class") not in _BOUND_CALLS:
            return None
        name = node.get("qname", {"path": [""]})["path"][-1]
        if name == "__cast":
            return _cast_problem(node)
        if name == "sum" and _is_float(node) and not node.get("order_bys"):
            return "sum() over floating-point numbers depends on their order; cast to DECIMAL"
        return self._function_problem(name)


def first_line(text: str) -> str:
    """An engine's message about a query on empty tables, without its drawing of the query."""
    return text.strip().split("\n", 1)[0]


def _common_tables(tree: Any) -> Iterator[str]:
    for node in nodes(tree):
        for entry in (node.get("cte_map") or {}).get("map", []):
            yield entry["key"].lower()


def _table_problem(node: Node, known: set[str]) -> str | None:
    check = _TABLE_CHECKS.get(node.get("type", ""))
    if node.get("sample"):
        return "takes a sample"
    return check(node, known) if check else None


def _base_table(node: Node, known: set[str]) -> str | None:
    name = node["table_name"]
    if node["schema_name"] or node["catalog_name"] or name.lower() not in known:
        return f'there is no table "{name}"; there are {", ".join(sorted(known))}'
    return None


def _table_function(node: Node, known: set[str]) -> str | None:
    name = node["function"].get("function_name", "").lower()
    return None if name in _TABLE_FUNCTIONS else f"{name}() is no table a mapping may read"


def _join(node: Node, known: set[str]) -> str | None:
    kind = node["ref_type"]
    return None if kind in _JOINS else f"{kind} joins are not determined by their rows"


def _distinct(node: Node, known: set[str]) -> str | None:
    return "DISTINCT ON takes any row" if node.get("distinct_on_targets") else None


def _select(node: Node, known: set[str]) -> str | None:
    """A LIMIT is determined only where the ORDER BY holds everything that is selected."""
    modifiers = {modifier["type"]: modifier for modifier in node.get("modifiers", [])}
    if not any(name.startswith("LIMIT") for name in modifiers):
        return None
    orders = modifiers.get("ORDER_MODIFIER", {}).get("orders", [])
    if any(order["expression"].get("type") == "STAR" for order in orders):
        return None
    if _covers(orders, node["select_list"]):
        return None
    return "LIMIT without a total order: end its ORDER BY with every selected expression"


def _refused(what: str) -> Any:
    return lambda node, known: f"{what} is not for mappings"


_TABLE_CHECKS = {
    "BASE_TABLE": _base_table,
    "TABLE_FUNCTION": _table_function,
    "JOIN": _join,
    "DISTINCT_MODIFIER": _distinct,
    "SELECT_NODE": _select,
    "RECURSIVE_CTE_NODE": _refused("WITH RECURSIVE"),
    "PIVOT": _refused("PIVOT"),
    "SHOW_REF": _refused("SHOW"),
}


def _aggregate_problem(node: Node) -> str | None:
    orders = (node.get("order_bys") or {}).get("orders", [])
    arguments = [argument["expression"] for argument in node["arguments"]]
    if orders and _covers(orders, arguments):
        return None
    return (
        f"{node['function_name']}() depends on the order of its rows: "
        "end its ORDER BY with the aggregated values"
    )


def _sorted_arguments(node: Node) -> set[int]:
    """The expressions that a sorting function takes, so that their own order does not matter."""
    if node.get("class") != "FUNCTION" or node["function_name"].lower() not in _SORTS:
        return set()
    return {id(argument["expression"]) for argument in node["arguments"]}


def _hash_order_problem(node: Node) -> str | None:
    name = str(node.get("function_name", "")).lower()
    return (
        f"{name}() returns its elements in no order: list_sort({name}(…))"
        if name in _HASH_ORDER
        else None
    )


def _window_problem(node: Node) -> str | None:
    name = node["function_name"].lower()
    if name not in _FREE_WINDOWS:
        return f"{name}() OVER depends on the order of equal rows; rank() does not"
    ends = {str(node["start"]), str(node["end"])}
    if any("ROWS" in end or "GROUPS" in end for end in ends):
        return "a window of ROWS depends on the order of equal rows"
    return None


def _covers(orders: list[Node], expressions: list[Node]) -> bool:
    """Whether rows that tie in `orders` are equal in all `expressions` but the constant ones."""
    ordered = {form(order["expression"]) for order in orders}
    wanted = [each for each in expressions if each.get("class") != "CONSTANT"]
    return all(form(each) in ordered for each in wanted)


def _cast_problem(node: Node) -> str | None:
    target = node["return_type"]
    if "JSON" in json.dumps(target):
        return "a cast to JSON loses digits of numbers; declare a payload field instead"
    source = next((each for each in nodes(_operands(node)) if "return_type" in each), None)
    if target["id"] != "VARCHAR" or source is None:
        return None
    if source["return_type"]["id"] in _NESTED:
        return "a list or struct is cast to text; use array_to_string or name its parts"
    return None


def _operands(node: Node) -> Any:
    return node.get("children") or node.get("child")


def _is_float(node: Node) -> bool:
    return any(argument["id"] in ("DOUBLE", "FLOAT") for argument in node.get("arguments", []))
