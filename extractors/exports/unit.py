"""The unit of account of an export: a message in one of the queues that hold it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from extractors.files.view import View
from migrate.core.flow import SourceSpec, TimeSpec
from migrate.core.ports import Control
from migrate.core.reasons import Reason

Header = tuple[str, str, str | None]
"""Name, type and text of a property; the text is None for a null."""


class Unit(NamedTuple):
    """A message in a queue, or a stretch of a file that could not be read as one."""

    start: int
    end: int  # bytes `start` to `end` of the file
    queue: str  # the file's own path where no queue is known
    identity: str | None  # the broker's message id; None: it has none
    body: bytes | None
    columns: Mapping[str, str | None]  # further columns of extractors.segment, as texts
    headers: tuple[Header, ...] = ()
    problem: Reason | None = None
    place: str | None = None
    lossy: bool = False  # the export did not keep the body's exact bytes


@dataclass(frozen=True, slots=True)
class Settings:
    """What a plan says about reading an export."""

    longest: int  # bytes that one message may take in the file
    charset: str | None  # of bodies that name none
    dumped_at: str | None  # when the export was made, where it does not say


Parse = Callable[[View, str, Settings], Iterator[Unit]]
"""A view of a file, its path, settings → its units in file order."""


@dataclass(frozen=True, slots=True)
class Format:
    """What one kind of export brings."""

    parse: Parse
    times: Mapping[str, TimeSpec]  # of time columns that the format itself decides
    named_by_file: bool  # whether `from` may be a glob of files
    totals: Callable[[str, str, SourceSpec], tuple[str, str]]
    """Command listing the files (NUL between), root folder, source → commands that
    print the number of units and the bytes of their bodies."""
    advice: str  # what to do where an export is lossy


def control_pair(commands: tuple[str, str], rows: int, size: int) -> tuple[Control, Control]:
    """The control totals of a flow's units."""
    return (
        Control("rows", commands[0], str(rows)),
        Control("body_bytes", commands[1], str(size)),
    )
