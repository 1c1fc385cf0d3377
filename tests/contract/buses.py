"""A fresh bus of every registered kind: a new kind adds its entries here."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from migrate.core.flow import ARCHIVE, BusSpec, ClaimsSpec, OffRampSpec
from tests import rabbitmq, services, stream_broker
from tests.loaders import kafka_broker, nats_server
from tests.loaders.kafka_mock import cluster

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
def outbox_with_taps(folder: Path) -> Iterator[BusSpec]:
    with services.database(services.postgresql()) as url:
        yield BusSpec(TAPPED, "sql", url, (("receivers", "delete"),))


@contextmanager
def file_with_taps(folder: Path) -> Iterator[BusSpec]:
    yield BusSpec(TAPPED, "sql", f"sqlite:///{folder}/bus.db", (("receivers", "delete"),))


@contextmanager
def jetstream(folder: Path) -> Iterator[BusSpec]:
    with nats_server.bus() as spec:
        yield spec


@contextmanager
def kafka(folder: Path) -> Iterator[BusSpec]:
    yield kafka_broker.shared().spec(LARGE)


@contextmanager
def kafka_idempotent(folder: Path) -> Iterator[BusSpec]:
    yield kafka_broker.shared().spec({**LARGE, "transactions": "false"})


@contextmanager
def kafka_mock(folder: Path) -> Iterator[BusSpec]:
    with cluster() as mock:
        yield mock.spec(("custody", "nfd", ARCHIVE), LARGE)


LARGE = {"max_message_bytes": "8000000"}


@contextmanager
def rabbitmq_stream(folder: Path) -> Iterator[BusSpec]:
    server = stream_broker.shared()
    with server.vhost() as vhost:
        yield server.spec(vhost)


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
"""A bus whose name begins so has off-ramps that are seen by taps."""

STRUCTURED = "-structured"
"""A bus whose name ends so has off-ramps that receive events in structured mode, but for one."""


def offramps(spec: BusSpec) -> dict[str, OffRampSpec]:
    """The off-ramps that a case has."""
    ramps = {name: OffRampSpec(name) for name in ("custody", "nfd", ARCHIVE)}
    if spec.name.startswith(TAPPED):
        ramps = {name: replace(ramp, observe="tap") for name, ramp in ramps.items()}
    if spec.name.endswith(STRUCTURED):
        ramps |= {name: replace(ramps[name], mode="structured") for name in ("custody", ARCHIVE)}
    return ramps


FRESH: dict[str, list[tuple[str, Fresh, bool]]] = {
    "jetstream": [("nats", jetstream, True)],
    "sql": [
        ("sqlite", sqlite, False),
        ("postgresql", postgresql, True),
        ("mariadb", mariadb, True),
        ("sqlite-with-tap", file_with_taps, False),
        ("postgresql-with-tap", outbox_with_taps, True),
    ],
    "kafka": [
        ("broker", kafka, True),
        ("idempotent", kafka_idempotent, True),
        ("mock", kafka_mock, False),
    ],
    "rabbitmq-stream": [("3.10", rabbitmq_stream, True)],
    "rabbitmq": [
        ("stream", rabbitmq_streams, True),
        ("quorum-with-tap", rabbitmq_taps, True),
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


def with_events(fresh: Fresh) -> Fresh:
    """The same bus with off-ramps in structured mode."""

    @contextmanager
    def structured(folder: Path) -> Iterator[BusSpec]:
        with fresh(folder) as spec:
            yield replace(spec, name=spec.name + STRUCTURED)

    return structured


def marks(kind: str, service: bool) -> list[pytest.MarkDecorator]:
    """One worker has the node that the tests of a kind share."""
    return [pytest.mark.service, pytest.mark.xdist_group(kind)] if service else []


WAYS: dict[str, Callable[[Fresh], Fresh]] = {
    "claims": with_claims,
    "structured": with_events,
    "structured-claims": lambda fresh: with_claims(with_events(fresh)),
}

CASES = [
    pytest.param(fresh, id=f"{kind}-{name}", marks=marks(kind, service))
    for kind, entries in FRESH.items()
    for name, fresh, service in entries
] + [
    pytest.param(made(fresh), id=f"{kind}-{name}-{way}", marks=marks(kind, service))
    for kind, entries in FRESH.items()
    for way, made in WAYS.items()
    for name, fresh, service in (entries if way == "structured" else entries[:1])
    if name != "mock"  # it keeps five megabytes a partition
]
"""Every bus, in both content modes; of each kind the first once more with a claim check."""
