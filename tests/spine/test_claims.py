"""Real runs of bodies that their bus refuses: receivers fetch them, and the witness misses them."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests import services
from tests.loaders.nats_server import server
from tests.rabbitmq import Node
from tests.spine import test_jetstream, test_rabbitmq_bus, test_sql_buses
from tests.spine.buses import Ran, Received, estate_on, run_on
from tests.spine.claims import (
    ABOVE,
    Fetch,
    check_altered,
    check_redeemed,
    from_folder,
    named,
    run_with_large_bodies,
    swollen,
)

pytestmark = pytest.mark.service

LIMIT = 64 * 1024
"""What the brokers of these tests take at most."""


def claiming(bus: str, url: object, kind: str = "folder") -> str:
    """A bus of a plan, with a claim check."""
    return f'{bus.strip()}\nclaims = {{ kind = "{kind}", url = "{url}", above = {ABOVE} }}'


def estate(folder: Path, bus: str, offramps: str | None = None) -> Ran:
    return estate_on(folder, bus, offramps, messages=300)


def test_quorum_queues_with_taps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a node that refuses larger messages: without claims the run stops there."""
    node = Node(more=f"max_message_size = {LIMIT}\n")
    try:
        with node.host() as host:
            monkeypatch.setenv("METIP_URL", host.url)
            bus = test_rabbitmq_bus.bus(host, f"max_message_bytes = {LIMIT}")
            plain = estate(tmp_path / "plain", bus, 'observe = "tap"')
            swollen(plain)
            assert run_on(plain).code == 4
        with node.host() as host:
            monkeypatch.setenv("METIP_URL", host.url)
            bus = test_rabbitmq_bus.bus(host, f"max_message_bytes = {LIMIT}")
            plan = estate(tmp_path, claiming(bus, tmp_path / "claims"), 'observe = "tap"')
            ran, bodies = run_with_large_bodies(plan)
            taken = list(test_rabbitmq_bus.received(host, test_rabbitmq_bus.taken))
            check_redeemed(ran, taken, bodies, from_folder(tmp_path / "claims"))
            check_tampered(ran, taken, bodies, tmp_path / "claims")
    finally:
        node.end()


def test_jetstream_bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a server that refuses larger messages: without claims the run stops there."""
    with server(tmp_path / "nats", f"max_payload: {LIMIT}") as own:
        monkeypatch.setenv("ISB_TEST_NATS_URL", own.url)
        monkeypatch.setenv("ISB_TEST_NATS_PREFIX", "plain")
        plain = estate(tmp_path / "plain", test_jetstream.BUS)
        swollen(plain)
        assert run_on(plain).code == 4
        monkeypatch.setenv("ISB_TEST_NATS_PREFIX", "t")
        plan = estate(tmp_path, claiming(test_jetstream.BUS, tmp_path / "claims"))
        ran, bodies = run_with_large_bodies(plan)
        received = test_jetstream.received(own)
        check_redeemed(ran, received, bodies, from_folder(tmp_path / "claims"))
        check_tampered(ran, received, bodies, tmp_path / "claims")


def check_tampered(
    ran: Ran, received: Sequence[Received], bodies: dict[str, bytes], claims: Path
) -> None:
    """A claim that is deleted and one that is changed are told by message; mended, they are not."""
    gone, changed = [one for one, body in bodies.items() if len(body) > ABOVE][:2]
    paths = [claims / named(received, one)[:2] / named(received, one) for one in (gone, changed)]
    kept = [path.read_bytes() for path in paths]
    paths[0].unlink()
    paths[1].write_bytes(kept[1].replace(b"xx", b"xy", 1))
    check_altered(ran, {gone, changed})
    paths[0].write_bytes(kept[0])
    check_altered(ran, {changed})


def test_an_outbox_on_postgresql(tmp_path: Path) -> None:
    """Its claims lie in a table of another database, MariaDB here."""
    with (
        services.database(services.postgresql()) as outbox,
        services.database(services.mariadb()) as store,
    ):
        plan = estate(tmp_path, claiming(test_sql_buses.bus(outbox), store, "sql"))
        ran, bodies = run_with_large_bodies(plan)
        with closing(psycopg.connect(outbox.replace("+psycopg", ""))) as connection:
            received = list(test_sql_buses.received(connection.execute(test_sql_buses.ROWS)))
        with closing(test_sql_buses.mariadb(store)) as claims, claims.cursor() as cursor:
            check_redeemed(ran, received, bodies, from_table(cursor))
            gone, changed = [one for one, body in bodies.items() if len(body) > ABOVE][:2]
            cursor.execute("DELETE FROM claim WHERE name = %s", [named(received, gone)])
            statement = "UPDATE claim SET body = REPLACE(body, 'xx', 'xy') WHERE name = %s"
            cursor.execute(statement, [named(received, changed)])
            claims.commit()
        check_altered(ran, {gone, changed})


def test_an_outbox_on_mariadb(tmp_path: Path) -> None:
    """Its claims lie in a table beside it."""
    with services.database(services.mariadb()) as url:
        plan = estate(tmp_path, claiming(test_sql_buses.bus(url), url, "sql"))
        ran, bodies = run_with_large_bodies(plan)
        with closing(test_sql_buses.mariadb(url)) as connection, connection.cursor() as cursor:
            cursor.execute(test_sql_buses.ROWS)
            received = list(test_sql_buses.received(cursor))
            check_redeemed(ran, received, bodies, from_table(cursor))


def test_an_outbox_in_a_file(tmp_path: Path) -> None:
    """Its claims lie in a folder."""
    bus = test_sql_buses.bus(f"sqlite:///{tmp_path}/metip.db")
    ran, bodies = run_with_large_bodies(estate(tmp_path, claiming(bus, tmp_path / "claims")))
    with closing(sqlite3.connect(tmp_path / "metip.db")) as connection:
        received = list(test_sql_buses.received(connection.execute(test_sql_buses.ROWS)))
    check_redeemed(ran, received, bodies, from_folder(tmp_path / "claims"))
    check_tampered(ran, received, bodies, tmp_path / "claims")


def from_table(cursor: Any) -> Fetch:
    """Of a store that is a table."""

    def fetch(name: str) -> bytes:
        cursor.execute("SELECT body FROM claim WHERE name = %s", [name])
        ((body,),) = cursor.fetchall()
        return bytes(body)

    return fetch
