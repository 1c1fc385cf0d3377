"""Legacy stores in databases: `kind = "sql"`. No database driver is imported before it is used."""

from extractors.sql.store import SqlStore

__all__ = ["SqlStore"]
