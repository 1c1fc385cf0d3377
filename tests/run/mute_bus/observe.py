"""As the SQL bus does."""

from loaders.sql.observe import Observer

__all__ = ["Observer"]
