"""Messages in a table with a text key, in every database at hand, by every way of reading it."""

from collections.abc import Iterator, Sequence
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
def filled(url: str, bodies: Sequence[bytes], *, adbc: bool) -> Iterator[Estate]:
    fill(url, bodies)
    yield Estate(StoreSpec("store", "sql", url, adbc=adbc), SOURCE)


def sqlite(*, adbc: bool) -> Fresh:
    return lambda folder, bodies: filled(f"sqlite:///{folder}/store.db", bodies, adbc=adbc)


def postgresql(*, adbc: bool) -> Fresh:
    @contextmanager
    def fresh(folder: Path, bodies: Sequence[bytes]) -> Iterator[Estate]:
        with (
            services.database(services.postgresql()) as url,
            filled(url, bodies, adbc=adbc) as estate,
        ):
            yield estate

    return fresh


@contextmanager
def mariadb(folder: Path, bodies: Sequence[bytes]) -> Iterator[Estate]:
    with services.database(services.mariadb()) as url, filled(url, bodies, adbc=False) as estate:
        yield estate


CASES: list[Case] = [
    ("sqlite", sqlite(adbc=True), False),
    ("sqlite-rows", sqlite(adbc=False), False),
    ("postgresql", postgresql(adbc=True), True),
    ("postgresql-rows", postgresql(adbc=False), True),
    ("mariadb", mariadb, True),
]
