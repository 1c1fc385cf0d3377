"""Walking the JSON trees in which DuckDB describes a query."""

import json
from collections.abc import Iterator
from typing import Any

Node = dict[str, Any]

_NOT_COMPARED = {"alias", "query_location", "query_location_length"}


def nodes(tree: Any) -> Iterator[Node]:
    """Every object of a tree, outer ones first."""
    waiting = [tree]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
            waiting += reversed(value.values())
        elif isinstance(value, list):
            waiting += reversed(value)


def form(expression: Any) -> str:
    """An expression without its place and alias: equal for expressions that are written alike."""
    return json.dumps(_bare(expression))


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _bare(value[key]) for key in sorted(value) if key not in _NOT_COMPARED}
    return [_bare(each) for each in value] if isinstance(value, list) else value
