"""Whether a query keeps the rows of `message` apart: one row's result never depends on another.

A batch is cut by size, so anything that looks across rows would change with
the cut. A query reads `message` once, and what it aggregates, numbers or
makes distinct stays within one `position`.
"""

import logging
from collections.abc import Iterator

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import Scope, traverse_scope

from migrate.transform.engine import MESSAGE

POSITION = "position"

logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of what is then refused anyway


def one_select(sql: str) -> str | None:
    """The problem of a text that is anything but one SELECT; None where it is."""
    try:
        statements = [each for each in sqlglot.parse(sql, dialect="duckdb") if each is not None]
    except SqlglotError:
        return "cannot be read as SQL"
    if len(statements) != 1:
        return "is not one statement"
    return None if isinstance(statements[0], exp.Query) else "is no SELECT"


def one_condition(text: str) -> str | None:
    """The problem of a text that is anything but one SQL expression; None where it is."""
    try:
        statements = sqlglot.parse(f"SELECT ({text}\n) AS holds", dialect="duckdb")
        alone = sqlglot.parse_one(text, into=exp.Condition, dialect="duckdb")
    except SqlglotError:
        return "cannot be read as a condition"
    if len(statements) != 1 or not isinstance(statements[0], exp.Select):
        return "is not one condition"
    if statements[0].args.get("from_") or statements[0].args.get("from") or alone is None:
        return "is not one condition"
    return None if len(statements[0].expressions) == 1 else "is not one condition"


def rows_kept_apart(sql: str) -> str | None:
    """The problem of a mapping that looks across rows of `message`; None where it does not."""
    try:
        root = sqlglot.parse_one(sql, dialect="duckdb")
        scopes = traverse_scope(root)
    except SqlglotError:
        return "cannot be read as SQL"
    if not isinstance(root, exp.Select):
        return "has to be one SELECT, without UNION, EXCEPT or INTERSECT around it"
    reads = [table for table in root.find_all(exp.Table) if table.name.lower() == MESSAGE]
    if len(reads) != 1:
        return f"has to read {MESSAGE} exactly once; a list can be taken apart with unnest(field)"
    bearing = [scope for scope in scopes if _bears(scope)]
    if not any(scope.is_root for scope in bearing):
        return f"has to read {MESSAGE} in its own FROM"
    return next(filter(None, (_scope_problem(scope) for scope in bearing)), None)


def _bears(scope: Scope) -> bool:
    """Whether rows of `message` come through a scope's FROM."""
    return _bearing_sources(scope) > 0


def _bearing_sources(scope: Scope) -> int:
    return sum(_is_message(source) for _, source in _from(scope))


def _from(scope: Scope) -> Iterator[tuple[str, Scope | exp.Expression]]:
    """What stands in a scope's FROM and joins; outer tables of correlated sub-selects do not."""
    for name, (_, source) in scope.selected_sources.items():
        yield name, source


def _is_message(source: Scope | exp.Expression) -> bool:
    if isinstance(source, Scope):
        return _bears(source)
    return isinstance(source, exp.Table) and source.name.lower() == MESSAGE


def _scope_problem(scope: Scope) -> str | None:
    select = scope.expression
    if not isinstance(select, exp.Select):
        return "has to keep one SELECT around message"
    if _bearing_sources(scope) > 1:
        return "joins message with itself"
    if select.args.get("limit") or select.args.get("offset"):
        return f"limits the rows of {MESSAGE}"
    if select.args.get("distinct") and POSITION not in select.named_selects:
        return f"makes rows distinct without {POSITION}"
    return _position_problem(select) or _grouping_problem(scope) or _window_problem(scope)


def _position_problem(select: exp.Select) -> str | None:
    """`position` has to come through, as it is."""
    if not any(each.is_star or _is_position(each) for each in select.expressions):
        return (
            f"drops {POSITION}" if POSITION not in select.named_selects else f"changes {POSITION}"
        )
    for projection in select.expressions:
        star = projection.find(exp.Star)
        if star is not None and any(_names_position(each) for each in _changed(star)):
            return f"changes {POSITION}"
        if projection.alias_or_name.lower() == POSITION and not _is_position(projection):
            return f"changes {POSITION}"
    return None


def _changed(star: exp.Star) -> Iterator[exp.Expression]:
    for part in ("replace", "rename", "replace_", "rename_"):
        yield from star.args.get(part) or []


def _names_position(expression: exp.Expression) -> bool:
    return expression.alias_or_name.lower() == POSITION or any(
        column.name.lower() == POSITION for column in expression.find_all(exp.Column)
    )


def _is_position(expression: exp.Expression) -> bool:
    bare = expression.unalias()
    return isinstance(bare, exp.Column) and bare.name.lower() == POSITION


def _grouping_problem(scope: Scope) -> str | None:
    select = scope.expression
    assert isinstance(select, exp.Select)
    group = select.args.get("group")
    aggregates = [each for each in scope.find_all(exp.AggFunc) if not _is_windowed(each)]
    if not aggregates and group is None and not select.args.get("having"):
        return None
    if group is None:
        return f"aggregates over several rows of {MESSAGE}: GROUP BY {POSITION}"
    if any(group.args.get(part) for part in ("cube", "rollup", "grouping_sets")):
        return f"aggregates over several rows of {MESSAGE}"
    by_position = any(_groups_position(each, select) for each in group.expressions)
    by_all = bool(group.args.get("all")) and any(_is_position(each) for each in select.expressions)
    return None if by_position or by_all else f"GROUP BY has to hold {POSITION}"


def _groups_position(expression: exp.Expression, select: exp.Select) -> bool:
    if isinstance(expression, exp.Literal) and expression.is_int:
        place = int(expression.name) - 1
        return 0 <= place < len(select.expressions) and _is_position(select.expressions[place])
    return _is_position(expression)


def _is_windowed(aggregate: exp.Expr) -> bool:
    parent = aggregate.parent
    if isinstance(parent, exp.IgnoreNulls | exp.RespectNulls | exp.Filter):
        parent = parent.parent
    return isinstance(parent, exp.Window)


def _window_problem(scope: Scope) -> str | None:
    for window in scope.find_all(exp.Window):
        partitions = window.args.get("partition_by") or []
        if not any(_is_position(each) for each in partitions):
            return f"a window reaches over several rows of {MESSAGE}: PARTITION BY {POSITION}"
    return None
