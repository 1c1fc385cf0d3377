"""A fresh bus of every registered kind: a new kind adds its entries here."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from migrate.core.flow import BusSpec
from tests import services, stream_broker

Fresh = Callable[[Path], AbstractContextManager[BusSpec]]


@contextmanager
def sqlite(folder: Path) -> Iterator[BusSpec]:
    yield BusSpec("metip", "sql", f"sqlite:///{folder}/bus.db")


@contextmanager
def postgresql(folder: Path) -> Iterator[BusSpec]:
    with services.database(services.postgresql()) as url:
        yield BusSpec("metip", "sql", url)


@contextmanager
def mariadb(folder: Path) -> Iterator[BusSpec]:
    with services.database(services.mariadb()) as url:
        yield BusSpec("metip", "sql", url)


@contextmanager
def rabbitmq_stream(folder: Path) -> Iterator[BusSpec]:
    server = stream_broker.shared()
    with server.vhost() as vhost:
        yield server.spec(vhost)


FRESH: dict[str, list[tuple[str, Fresh, bool]]] = {
    "sql": [
        ("sqlite", sqlite, False),
        ("postgresql", postgresql, True),
        ("mariadb", mariadb, True),
    ],
    "rabbitmq-stream": [("3.10", rabbitmq_stream, True)],
}
"""Kind of bus: (name of the case, how to get a fresh one, whether it needs a real server)."""

CASES = [
    pytest.param(fresh, id=f"{kind}-{name}", marks=[pytest.mark.service] if service else [])
    for kind, entries in FRESH.items()
    for name, fresh, service in entries
]
