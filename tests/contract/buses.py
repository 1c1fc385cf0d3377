"""A fresh bus of every registered kind: a new kind adds its entries here."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from migrate.core.flow import BusSpec, ClaimsSpec
from tests import services

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


FRESH: dict[str, list[tuple[str, Fresh, bool]]] = {
    "sql": [
        ("sqlite", sqlite, False),
        ("postgresql", postgresql, True),
        ("mariadb", mariadb, True),
    ],
}
"""Kind of bus: (name of the case, how to get a fresh one, whether it needs a real server)."""


def with_claims(fresh: Fresh) -> Fresh:
    """The same bus with every body of more than three bytes in a claim store."""

    @contextmanager
    def claiming(folder: Path) -> Iterator[BusSpec]:
        with fresh(folder) as spec:
            yield replace(spec, claims=ClaimsSpec("folder", str(folder / "claims"), 3, "met.test"))

    return claiming


CASES = [
    pytest.param(fresh, id=f"{kind}-{name}", marks=[pytest.mark.service] if service else [])
    for kind, entries in FRESH.items()
    for name, fresh, service in entries
] + [
    pytest.param(
        with_claims(fresh), id=f"{kind}-claims", marks=[pytest.mark.service] if service else []
    )
    for kind, entries in FRESH.items()
    for _, fresh, service in entries[:1]
]
"""Every bus; of each kind the first once more with a claim check."""
