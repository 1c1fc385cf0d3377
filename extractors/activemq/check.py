"""What is wrong with a source of an ActiveMQ store."""

import difflib
from collections.abc import Iterator, Sequence

from migrate.core.flow import SourceSpec

SCHEMES = ("queue://", "topic://")
_FORMAT_GIVES = ("key", "order_by", "columns", "headers", "delivered", "where")


def source_problems(source: SourceSpec, containers: Sequence[str]) -> Iterator[str]:
    """Each with its key in the plan and a remedy; `containers`: those that hold something."""
    name = source.from_
    if name != "*" and not name.startswith(SCHEMES):
        yield f'from: "{name}" is no container; write queue://NAME, topic://NAME or *'
    elif name != "*" and not name.endswith("*") and name not in containers:
        near = difflib.get_close_matches(name, containers, n=1, cutoff=0.85)
        if near:
            yield f'from: nothing is in "{name}"; did you mean "{near[0]}"?'
    for key in _FORMAT_GIVES:
        if getattr(source, key):
            yield f"{key}: means nothing to an ActiveMQ store, its format says it; leave it out"
