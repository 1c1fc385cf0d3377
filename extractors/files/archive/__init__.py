"""Archives of a spool: what they hold, and reading it without unpacking anything."""

from extractors.files.archive.archive import Archive, kind_of
from extractors.files.archive.limits import Limits

__all__ = ["Archive", "Limits", "kind_of"]
