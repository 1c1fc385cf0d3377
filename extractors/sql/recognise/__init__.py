"""Which tables of a database hold messages, and what their columns mean: a guess, said to be one.

Names and declared types decide first; where they leave something open, a bounded sample of the
table's rows does. Values are looked at here, and never leave: a draft names columns, kinds
of times and texts that mean "no time", nothing else.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import sqlalchemy as sa

from extractors.sql.connect import Server
from extractors.sql.recognise.draft import draft_tables
from extractors.sql.recognise.spring import Spring, spring_prefixes
from extractors.sql.reflect import Catalogue
from extractors.sql.sessions import Sessions
from migrate.core.proposal import Place, Recognised, StoreDraft

__all__ = ["draft_tables", "is_database", "recognise", "table_names"]


def recognise(place: Place) -> Iterator[Recognised]:
    """Any database; surely so where it has the tables of Spring Integration."""
    if not is_database(place):
        return
    springs = spring_prefixes(table_names(place))
    if springs:
        what = "tables of Spring Integration's JDBC stores"
        yield Recognised("sql", what, True, partial(_drafted, place, springs))
    else:
        yield Recognised("sql", "database", False, partial(_drafted, place, ()))


def is_database(place: Place) -> bool:
    """Whether a place is a URL of a database that SQLAlchemy knows, be its driver there or not."""
    if place.path is not None:
        return False
    try:
        sa.make_url(place.url).get_dialect()
    except sa.exc.NoSuchModuleError:
        return place.url.startswith("postgres://")
    except ModuleNotFoundError:
        return True
    return True


def table_names(place: Place) -> Sequence[str]:
    """The base tables of a database. Raises LegacyUnreadable, MissingExtra."""
    server = Server(place.spec("sql"))
    sessions = Sessions(server)
    try:
        return Catalogue(server, sessions).names()
    finally:
        sessions.close()
        server.engine.dispose()


def _drafted(place: Place, prefixes: Sequence[str]) -> list[StoreDraft]:
    no_reasons: Mapping[str, str] = {}
    return [draft_tables(place, no_reasons, [Spring(prefix) for prefix in prefixes])]
