"""As the SQL bus does."""

from loaders.sql.provision import Provisioner

__all__ = ["Provisioner"]
