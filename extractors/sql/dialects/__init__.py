"""Databases with a file of their own; every other one is read through the base class."""

from collections.abc import Callable

from extractors.sql.dialects.base import Dialect
from extractors.sql.dialects.db2 import Db2
from extractors.sql.dialects.mariadb import Mariadb
from extractors.sql.dialects.mssql import Mssql
from extractors.sql.dialects.oracle import Oracle
from extractors.sql.dialects.postgresql import Postgresql
from extractors.sql.dialects.sqlite import Sqlite

DIALECTS: dict[str, type[Dialect]] = {
    "sqlite": Sqlite,
    "postgresql": Postgresql,
    "mysql": Mariadb,
    "mariadb": Mariadb,
    "oracle": Oracle,
    "mssql": Mssql,
    "db2": Db2,
}


def dialect_of(backend: str, quote: Callable[[str], str]) -> Dialect:
    """The dialect of a SQLAlchemy backend name."""
    return DIALECTS.get(backend, Dialect)(backend, quote)
