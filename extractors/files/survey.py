"""What a file holds for a flow: counted once when a run seals it, and again whenever asked."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from extractors.files.cutters import cut_file
from extractors.files.record_types import keeper
from extractors.files.refusals import PackedAndShared, RecordTooLong
from extractors.files.spool import Spool
from extractors.files.trailers import Tally
from migrate.core.flow import RecordSpec, SourceSpec

UNKNOWN = "unknown"
"""The character set of packed bytes that do not unpack."""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A file as sealed in `Population.sealed["files"]`."""

    path: str
    bytes: int
    modified_ns: int
    sha256: str
    charset: str
    records: int  # that the flow takes
    record_bytes: int
    known: str = ""  # how the character set is known
    declared: int = 0  # records that trailers and envelopes say there are
    counted: int = 0  # records that are there by the same rule
    trailers: int = 0
    right: int = 0  # trailers whose count is right

    def as_json(self) -> dict[str, Any]:
        """A JSON object."""
        return asdict(self)

    @classmethod
    def of_json(cls, value: Mapping[str, Any]) -> "FileFacts":
        """The facts out of a sealed population. KeyError, TypeError if they are none."""
        return cls(**value)


def survey(folder: Spool, source: SourceSpec, path: str) -> FileFacts:
    """Cut a file and count. LegacyUnreadable if it changes meanwhile, or holds what is too long."""
    return _survey(folder, source, path, folder.limits.max_record_bytes)


def survey_unread(folder: Spool, record: RecordSpec, path: str) -> FileFacts:
    """As `survey`, for a file that no flow reads: one record where it cannot be cut."""
    source = SourceSpec("", "", "", record=record)
    try:
        return _survey(folder, source, path, folder.limits.max_record_bytes)
    except (RecordTooLong, PackedAndShared):
        whole = RecordSpec("file", charset=record.charset)
        return _survey(folder, replace(source, record=whole), path, sys.maxsize, typed=False)


def _survey(
    folder: Spool, source: SourceSpec, path: str, longest: int, *, typed: bool = True
) -> FileFacts:
    keep = keeper(source.record, folder.types_left_out(path)) if typed else None
    records = size = 0
    with folder.open(path) as file:
        view, charset, known, spans = cut_file(file, source, longest, typed=keep is not None)
        tally = Tally(source.record, charset)
        for span in spans:
            record = view.slice(span.start, span.end) if keep or tally.wants else b""
            if keep is None or keep(record, charset or "latin-1"):
                records += 1
                size += view.length(span.start, span.end)
            tally.add(record)
        counts = tally.counts(file, source, longest)
        return FileFacts(
            path,
            file.size,
            file.modified_ns,
            file.finish(),
            charset or UNKNOWN,
            records,
            size,
            known,
            *counts,
        )


def identical(folder: Spool, paths: list[str]) -> Iterator[tuple[str, ...]]:
    """Groups of files with the same bytes."""
    groups: dict[tuple[int, str], list[str]] = {}
    for path in paths:
        with folder.open(path) as file:
            groups.setdefault((file.size, file.finish()), []).append(path)
    yield from (tuple(group) for group in groups.values() if len(group) > 1)
