"""As the SQL bus does."""

from loaders.sql.publish import Publisher

__all__ = ["Publisher"]
