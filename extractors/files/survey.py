"""What a file holds for a flow: counted once when a run seals it, and again whenever asked."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from extractors.files.charset import declared_charset
from extractors.files.cutters import cut, prepare
from extractors.files.record_types import keeper
from extractors.files.walk import Folder
from migrate.core.flow import SourceSpec


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

    def as_json(self) -> dict[str, Any]:
        """A JSON object."""
        return asdict(self)

    @classmethod
    def of_json(cls, value: Mapping[str, Any]) -> "FileFacts":
        """The facts out of a sealed population. KeyError, TypeError if they are none."""
        return cls(**value)


def survey(folder: Folder, source: SourceSpec, path: str) -> FileFacts:
    """Cut a file and count. LegacyUnreadable if it changes meanwhile."""
    keep = keeper(source.record, folder.types_left_out(path))
    records = size = 0
    with folder.open(path) as file:
        view, charset = prepare(file, source.record, declared_charset(source))
        for span in cut(view, source.record, charset):
            if keep is None or keep(view.slice(span.start, span.end), charset):
                records += 1
                size += view.length(span.start, span.end)
        return FileFacts(path, file.size, file.modified_ns, file.finish(), charset, records, size)


def identical(folder: Folder, paths: list[str]) -> Iterator[tuple[str, ...]]:
    """Groups of files with the same bytes."""
    groups: dict[tuple[int, str], list[str]] = {}
    for path in paths:
        with folder.open(path) as file:
            groups.setdefault((file.size, file.finish()), []).append(path)
    yield from (tuple(group) for group in groups.values() if len(group) > 1)
