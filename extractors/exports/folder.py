"""The export a store's URL names: one file, or every file below a folder."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from extractors.files.globs import expression, matches
from extractors.files.view import FileView
from extractors.files.walk import Folder
from migrate.core.flow import StoreSpec


class Exports:
    """Files by their path below the root; the root of a single file is its folder.

    out_of_scope holds globs of files and names of queues.
    """

    def __init__(self, spec: StoreSpec) -> None:
        given = Path(spec.url)
        self._single = None if given.is_dir() else given.name
        globs = tuple((key, why) for key, why in spec.out_of_scope if _is_glob(key))
        url = spec.url if self._single is None else str(given.parent)
        self._folder = Folder(replace(spec, url=url, out_of_scope=globs))
        self._reasons = dict(spec.out_of_scope)
        self.globs = tuple(key for key, _ in globs)

    @property
    def root(self) -> Path:
        """The folder that paths start at; LegacyUnreadable if there is none."""
        return self._folder.root

    @property
    def single(self) -> str | None:
        """The name of the one file, or None for a folder."""
        return self._single

    def paths(self) -> Sequence[str]:
        """Every file that is in scope, in the order of their bytes."""
        if self._single is not None:
            return [self._single]
        return [path for path in self._folder.files() if self._folder.reason(path) is None]

    def left_out(self) -> Sequence[str]:
        """Every file that out_of_scope names."""
        if self._single is not None:
            return []
        return [path for path in self._folder.files() if self._folder.reason(path) is not None]

    def out_of_scope(self, queue: str) -> bool:
        """Whether a queue is declared out of scope."""
        return queue in self._reasons

    def open(self, path: str) -> FileView:
        """A view of a file; LegacyUnreadable for what is none."""
        return self._folder.open(path)


def belongs(source_from: str, queue: str, path: str, *, by_file: bool) -> bool:
    """Whether a flow reads a unit: `*` all, else its queue or, if so allowed, a glob of files."""
    if source_from in ("*", queue):
        return True
    return by_file and _is_glob(source_from) and matches(source_from, path)


def _is_glob(key: str) -> bool:
    try:
        expression(key)
    except ValueError:
        return False
    return True
