"""Bytes messages in one queue of a JDBC store: the tables as the broker makes them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from migrate.core.flow import SourceSpec, StoreSpec
from tests import services
from tests.contract.stores import Case, Estate, Fresh
from tests.extractors import activemq_database as database
from tests.extractors import activemq_encoder as wire

QUEUE = "queue://A"


@contextmanager
def filled(url: str, bodies: Sequence[bytes], *, adbc: bool) -> Iterator[Estate]:
    messages = [wire.Message("bytes", body, number=n) for n, body in enumerate(bodies, 1)]
    database.make(url, [database.row(n, message) for n, message in enumerate(messages, 1)])
    yield Estate(
        StoreSpec("store", "activemq-jdbc", url, adbc=adbc), SourceSpec("flow", "store", QUEUE)
    )


def sqlite(*, adbc: bool) -> Fresh:
    return lambda folder, bodies: filled(f"sqlite:///{folder}/store.db", bodies, adbc=adbc)


def server(name: str, *, adbc: bool) -> Fresh:
    @contextmanager
    def fresh(folder: Path, bodies: Sequence[bytes]) -> Iterator[Estate]:
        with (
            services.database(getattr(services, name)()) as url,
            filled(url, bodies, adbc=adbc) as estate,
        ):
            yield estate

    return fresh


CASES: list[Case] = [
    ("sqlite", sqlite(adbc=True), False),
    ("sqlite-rows", sqlite(adbc=False), False),
    ("postgresql", server("postgresql", adbc=True), True),
    ("mariadb", server("mariadb", adbc=False), True),
]
