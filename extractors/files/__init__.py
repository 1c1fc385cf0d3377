"""Spools: folders of files, cut into records of exact bytes. Opened read-only, never written to."""

from extractors.files.store import FilesStore

__all__ = ["FilesStore"]
