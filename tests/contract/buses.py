"""A fresh bus of every registered kind: a new kind adds its entries here."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from migrate.core.flow import ARCHIVE, BusSpec, OffRampSpec
from tests import rabbitmq, services

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
def rabbitmq_streams(folder: Path) -> Iterator[BusSpec]:
    with rabbitmq.host() as host:
        options = (("management", host.management), ("queue", "stream"))
        yield BusSpec("metip", "rabbitmq", host.url, options)


@contextmanager
def rabbitmq_taps(folder: Path) -> Iterator[BusSpec]:
    with rabbitmq.host() as host:
        options = (("management", host.management),)
        yield BusSpec(TAPPED, "rabbitmq", host.url, options)


TAPPED = "tapped"
"""A bus of this name has off-ramps that are seen by taps."""


def offramps(spec: BusSpec) -> dict[str, OffRampSpec]:
    """The off-ramps that a case has."""
    names = ("custody", "nfd", ARCHIVE)
    if spec.name == TAPPED:
        return {name: OffRampSpec(name, observe="tap") for name in names}
    return {name: OffRampSpec(name) for name in names}


FRESH: dict[str, list[tuple[str, Fresh, bool]]] = {
    "sql": [
        ("sqlite", sqlite, False),
        ("postgresql", postgresql, True),
        ("mariadb", mariadb, True),
    ],
    "rabbitmq": [
        ("stream", rabbitmq_streams, True),
        ("quorum-with-tap", rabbitmq_taps, True),
    ],
}
"""Kind of bus: (name of the case, how to get a fresh one, whether it needs a real server)."""


def _marks(kind: str, service: bool) -> list[pytest.MarkDecorator]:
    """One worker has the node that the tests of a kind share."""
    return [pytest.mark.service, pytest.mark.xdist_group(kind)] if service else []


CASES = [
    pytest.param(fresh, id=f"{kind}-{name}", marks=_marks(kind, service))
    for kind, entries in FRESH.items()
    for name, fresh, service in entries
]
