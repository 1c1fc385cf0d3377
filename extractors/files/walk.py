"""Which files a store holds, and whose they are.

Every file below the root is listed, hidden ones too, in the order of its path's bytes
(`LC_ALL=C sort`). Links are never followed: a link, a pipe or a device below
the root is refused, unless out_of_scope names it.
"""

import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from extractors.files.globs import expression, matches
from extractors.files.refusals import irregular, unreadable
from extractors.files.view import FileView, OpenFile
from migrate.core.errors import LegacyUnreadable, PlanError
from migrate.core.flow import SourceSpec, StoreSpec


class Folder:
    """The root folder of a store; paths are relative to it, with `/` between folders."""

    def __init__(self, spec: StoreSpec) -> None:
        self._given = Path(spec.url)
        self._out_of_scope = spec.out_of_scope
        for key, _ in spec.out_of_scope:
            try:
                expression(key)
            except ValueError as error:
                raise PlanError(str(error), key=f"store.{spec.name}.out_of_scope") from None

    @cached_property
    def root(self) -> Path:
        """The root, with no link left in it; LegacyUnreadable if it is no folder."""
        try:
            root = self._given.resolve(strict=True)
        except (OSError, RuntimeError):
            root = None
        if root is None or not root.is_dir():
            raise LegacyUnreadable(
                f"{self._given} is no folder", hint="set the store's url to the spool's root folder"
            )
        return root

    def files(self) -> list[str]:
        """All files. LegacyUnreadable for what cannot be read, is a link, or is no file."""
        return sorted(self._walk(self.root, ""), key=os.fsencode)

    def of(self, source: SourceSpec) -> list[str]:
        """The files of a flow: those its glob names and out_of_scope does not."""
        return [path for path in self.files() if self.belongs(path, source)]

    def belongs(self, path: str, source: SourceSpec) -> bool:
        """Whether a flow reads a file."""
        return matches(source.from_, path) and self.reason(path) is None

    def reason(self, path: str) -> str | None:
        """Why a file is out of scope, or None."""
        return next((why for glob, why in self._out_of_scope if matches(glob, path)), None)

    def types_left_out(self, path: str) -> frozenset[str]:
        """Record types of a file that are out of scope: the 21 of a key `glob#21`."""
        split = (key.rpartition("#") for key, _ in self._out_of_scope)
        return frozenset(kind for glob, _, kind in split if glob and matches(glob, path))

    def open(self, path: str) -> FileView:
        """A view of a file."""
        return FileView(self.open_file(path))

    def open_file(self, path: str) -> OpenFile:
        """A file of the folder itself. LegacyUnreadable if there is a link on the way to it."""
        full = self.root / path
        if full.resolve() != full:
            raise link(path)
        return OpenFile(full, path)

    def _walk(self, folder: Path, above: str) -> Iterator[str]:
        try:
            entries = list(os.scandir(folder))
        except OSError as error:
            raise unreadable(above.rstrip("/") or str(folder), error) from error
        for entry in entries:
            path = above + entry.name
            if entry.is_dir(follow_symlinks=False):
                yield from self._walk(Path(entry.path), f"{path}/")
            elif entry.is_file(follow_symlinks=False):
                yield _named(path)
            elif self.reason(path) is None:
                raise link(path) if entry.is_symlink() else irregular(path)


def _named(path: str) -> str:
    try:
        path.encode()
    except UnicodeEncodeError:
        shown = os.fsencode(path).decode("utf-8", "backslashreplace")
        raise LegacyUnreadable(
            f"the name of {shown} is not UTF-8",
            hint="rename the file; its name is part of every id",
        ) from None
    return path


def link(path: str) -> LegacyUnreadable:
    """The error for a link."""
    return LegacyUnreadable(
        f"{path} is a link, and links are not followed",
        hint="put the file itself there, or declare the link in out_of_scope",
    )
