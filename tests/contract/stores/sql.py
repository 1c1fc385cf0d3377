"""Messages in a table with a text key, in every database at hand, by every way of reading it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from migrate.core.flow import SourceSpec, StoreSpec
from tests import services
from tests.contract.stores import Case, Estate, Fresh

SOURCE = SourceSpec(
    flow="flow",
    store="store",
    from_="message",
    key=("id",),
    columns=(("body", "payload"), ("status", "state")),
    headers=("state",),
)


def fill(url: str, bodies: Sequence[bytes]) -> None:
    """A table with one row a body, keys in their order."""
    message = sa.Table(
        "message",
        sa.MetaData(),
        sa.Column("id", sa.String(20), primary_key=True),
        sa.Column("payload", sa.LargeBinary(2**24)),
        sa.Column("state", sa.String(10)),
    )
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    message.metadata.create_all(engine)
    rows = [{"id": f"M{n:06d}", "payload": body, "state": "NEW"} for n, body in enumerate(bodies)]
    with engine.begin() as connection:
        for row in rows:
            connection.execute(message.insert(), row)


@contextmanager
def filled(
    url: str, bodies: Sequence[bytes], *, adbc: bool, odbc: bool = False
) -> Iterator[Estate]:
    fill(url, bodies)
    options = (("odbc", services.odbc(url)),) if odbc else ()
    yield Estate(StoreSpec("store", "sql", url, adbc=adbc, options=options), SOURCE)


def sqlite(*, adbc: bool) -> Fresh:
    return lambda folder, bodies: filled(f"sqlite:///{folder}/store.db", bodies, adbc=adbc)


def served(server: Callable[[], sa.URL], *, adbc: bool = True, odbc: bool = False) -> Fresh:
    @contextmanager
    def fresh(folder: Path, bodies: Sequence[bytes]) -> Iterator[Estate]:
        with (
            services.database(server()) as url,
            filled(url, bodies, adbc=adbc, odbc=odbc) as estate,
        ):
            yield estate

    return fresh


CASES: list[Case] = [
    ("sqlite", sqlite(adbc=True), False),
    ("sqlite-rows", sqlite(adbc=False), False),
    ("postgresql", served(services.postgresql), True),
    ("postgresql-rows", served(services.postgresql, adbc=False), True),
    ("postgresql-odbc", served(services.postgresql, odbc=True), True),
    ("mariadb", served(services.mariadb), True),
    ("mariadb-odbc", served(services.mariadb, odbc=True), True),
]
