"""JSON pointers (RFC 6901), compiled once and followed through parsed documents."""

import re
from typing import Any

from migrate.core.errors import PlanError
from migrate.core.flow import FieldSpec

NOTHING = object()
"""What a pointer finds where there is nothing: null is something."""

_INDEX = re.compile(r"0|[1-9][0-9]{0,17}")


class Pointer:
    """A compiled JSON pointer: member names, and the indexes they would be in an array."""

    def __init__(self, tokens: tuple[str, ...]) -> None:
        self._steps = tuple(
            (token, int(token) if _INDEX.fullmatch(token) else None) for token in tokens
        )

    def find(self, value: Any) -> Any:
        """What the pointer points at, or NOTHING."""
        for name, index in self._steps:
            value = value.get(name, NOTHING) if type(value) is dict else _element(value, index)
        return value

    def find_all(self, value: Any, start: int = 0) -> Any:
        """As `find`, but a name asked of an array is asked of each of its elements.

        The elements' answers come as a list with None where one has none, so
        that lists of the same array stay side by side.
        """
        for place in range(start, len(self._steps)):
            name, index = self._steps[place]
            if type(value) is list and index is None:
                found = [self.find_all(element, place) for element in value]
                return [None if each is NOTHING else each for each in found]
            value = value.get(name, NOTHING) if type(value) is dict else _element(value, index)
        return value


def _element(value: Any, index: int | None) -> Any:
    if type(value) is list and index is not None and index < len(value):
        return value[index]
    return NOTHING


def compiled_pointer(field: FieldSpec) -> Pointer:
    """A field's selector, compiled. Raises PlanError for what is no JSON pointer."""
    if field.select == "":
        return Pointer(())
    if not field.select.startswith("/") or re.search(r"~(?![01])", field.select):
        raise PlanError(
            "is no JSON pointer (RFC 6901)", key=field.name, hint='such as "/person/id"'
        )
    parts = field.select[1:].split("/")
    return Pointer(tuple(part.replace("~1", "/").replace("~0", "~") for part in parts))
