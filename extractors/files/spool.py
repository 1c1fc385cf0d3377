"""A folder whose archives are folders too.

An archive is in the list of files as its members, in its own order, where its own name
stands. Its path with `!/` and the member's behind it is the member's path: `**/*.xml` finds
members as it finds files. A compressed file keeps its own path and is read unpacked. An
archive that holds no file, or that out_of_scope names itself, is a file like any other; so
are all with `archives = "closed"`.
"""

from collections.abc import Iterator

from extractors.files.archive import Archive, Limits, kind_of
from extractors.files.archive.archive import SEPARATOR
from extractors.files.view import FileView, OpenFile
from extractors.files.walk import Folder
from migrate.core.errors import LegacyUnreadable
from migrate.core.flow import StoreSpec

ARCHIVES = "archives"
OPEN, CLOSED = "open", "closed"


class Spool(Folder):
    """The files of a store of kind `files`."""

    def __init__(self, spec: StoreSpec) -> None:
        super().__init__(spec)
        self._options = dict(spec.options)
        self._listed: dict[str, tuple[tuple[int, ...], tuple[str, ...]]] = {}
        self._latest: Archive | None = None  # with the marks to read it by

    @property
    def limits(self) -> Limits:
        """The options `max_…`; LegacyUnreadable if they are no numbers."""
        return Limits.of(self._options)

    def files(self) -> list[str]:
        """All files, and all that archives hold. LegacyUnreadable for archives to be refused."""
        return [path for own in super().files() for path in self._within(own)]

    def archives(self) -> list[str]:
        """The archives and compressed files that are read as what they hold."""
        return [path for path in super().files() if self.opens(path)]

    def opens(self, path: str) -> bool:
        """Whether a file is read as what it holds."""
        wanted = self._options.get(ARCHIVES, OPEN) == OPEN
        return wanted and kind_of(path) is not None and self.reason(path) is None

    def open(self, path: str) -> FileView:
        """A view of a file, or of one in an archive, or of what a compressed file holds."""
        own = self._archive_of(path)
        if own is None:
            return super().open(path)
        file = self.open_file(own)
        try:
            return self._archive(file).view(file, path)
        except BaseException:
            file.close()
            raise

    def _within(self, path: str) -> Iterator[str]:
        if SEPARATOR in path and self._archive_of(path) not in (None, path):
            raise LegacyUnreadable(
                f"{path} is a file, and could be one in an archive",
                hint="rename the folder that is named like an archive",
            )
        if not self.opens(path) or kind_of(path) == "gz":
            yield path
            return
        with self.open_file(path) as file:
            known, paths = self._listed.get(path, (None, ()))
            if known != file.identity:
                paths = self._list(self._archive(file))
                self._listed[path] = (file.identity, paths)
        yield from paths or (path,)

    def _list(self, archive: Archive) -> tuple[str, ...]:
        found = []
        for path in archive.paths:
            special = archive.special(path)
            if special is None:
                found.append(path)
            elif self.reason(path) is None:
                raise LegacyUnreadable(
                    f"{path} is {special}, and only files are read",
                    hint="declare it in out_of_scope, or repack the archive without it",
                )
        return tuple(found)

    def _archive(self, file: OpenFile) -> Archive:
        latest = self._latest
        if latest is None or (latest.path, latest.identity) != (file.name, file.identity):
            self._latest = latest = Archive(file, self.limits)
        return latest

    def _archive_of(self, path: str) -> str | None:
        """The archive a path leads into, or the compressed file it is; None for a plain file."""
        at = path.find(SEPARATOR)
        while at > 0:
            own = path[:at]
            if self.opens(own) and (self.root / own).is_file():
                return own
            at = path.find(SEPARATOR, at + 1)
        return path if self.opens(path) and kind_of(path) == "gz" else None
