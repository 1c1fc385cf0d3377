"""A case of misery, and the ways of spoiling a payload."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from migrate.sample.truth import Outcome

Edit = Callable[[str], bytes | None]


@dataclass(frozen=True)
class Case:
    """`columns` replace those of a good row; `edit` turns its payload text into bytes."""

    outcome: Outcome
    edit: Edit = str.encode
    columns: Mapping[str, Any] = field(default_factory=dict)


def swap(old: str, new: str, charset: str = "utf-8") -> Callable[[str], bytes]:
    """Replace the one place that matches the pattern `old` by the text `new`."""

    def edit(text: str) -> bytes:
        result, found = re.subn(old, lambda _: new, text, flags=re.DOTALL)
        assert found == 1, f"{old} found {found} times"
        return result.encode(charset)

    return edit


def raw(text: str, insert: bytes, before: str) -> bytes:
    """Put bytes that no text could hold in front of a marker."""
    head, marker, tail = text.partition(before)
    assert marker, f"{before} not found"
    return head.encode() + insert + marker.encode() + tail.encode()


def bytes_before(before: str, insert: bytes) -> Edit:
    """An edit that puts raw bytes in front of a marker."""
    return lambda text: raw(text, insert, before)


def cut_short(text: str) -> bytes:
    """As if the writing application had died: the last third is not there."""
    return text[: len(text) * 2 // 3].encode()


def emptied(_: str) -> bytes:
    """No bytes."""
    return b""


def nulled(_: str) -> None:
    """No payload at all."""
