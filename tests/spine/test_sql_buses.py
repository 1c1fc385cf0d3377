"""A real run onto a SQL outbox: what a consumer of the database finds there."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pymysql
import pytest
import sqlalchemy as sa

from tests import services
from tests.spine.buses import Received, check_agrees, check_received, estate_on, run_on

ROWS = "SELECT destination, lane, headers, body FROM delivery ORDER BY position"


@pytest.mark.service
def test_postgresql(tmp_path: Path) -> None:
    """A second call of the same run delivers nothing twice."""
    with services.database(services.postgresql()) as url:
        ran = run_on(estate_on(tmp_path, bus(url)))
        check_agrees(ran)
        with closing(psycopg.connect(url.replace("+psycopg", ""))) as connection:
            assert run_on(ran).code == 0
            check_received(ran, list(received(connection.execute(ROWS))))


@pytest.mark.service
def test_mariadb(tmp_path: Path) -> None:
    """The same on MariaDB."""
    with services.database(services.mariadb()) as text:
        ran = run_on(estate_on(tmp_path, bus(text)))
        check_agrees(ran)
        with closing(mariadb(text)) as connection, connection.cursor() as cursor:
            cursor.execute(ROWS)
            check_received(ran, list(received(cursor)))


def test_sqlite(tmp_path: Path) -> None:
    """The embedded bus as an outbox of its own."""
    ran = run_on(estate_on(tmp_path, bus(f"sqlite:///{tmp_path}/metip.db")))
    check_agrees(ran)
    with closing(sqlite3.connect(tmp_path / "metip.db")) as connection:
        check_received(ran, list(received(connection.execute(ROWS))))


@pytest.mark.service
def test_receivers_that_delete_while_a_run_loads(tmp_path: Path) -> None:
    """An off-ramp waits for them; what they took is seen by its copies, and the witness agrees."""
    with services.database(services.postgresql()) as url:
        options = 'options = { receivers = "delete" }'
        waits = "backlog = { pause_above = 20, resume_below = 10 }"
        ran = estate_on(tmp_path, f"{bus(url)}\n{options}", f'observe = "tap"\n{waits}')
        taken: list[Received] = []
        stops = 0
        with closing(psycopg.connect(url.replace("+psycopg", ""), autocommit=True)) as connection:
            while (done := run_on(ran, "--no-wait")).code == 130:
                stops += 1
                taken += list(received(connection.execute(ROWS)))
                connection.execute("DELETE FROM delivery")
            taken += list(received(connection.execute(ROWS)))
        check_agrees(done)
        check_received(done, taken)
        assert stops


def mariadb(text: str) -> Any:
    """The vendor's own client."""
    url = sa.make_url(text)
    where = {"host": url.host, "port": url.port, "unix_socket": url.query.get("unix_socket")}
    who = {"user": url.username, "password": url.password, "database": url.database}
    return pymysql.connect(**{name: value for name, value in {**where, **who}.items() if value})


def bus(url: str) -> str:
    return f'[bus.metip]\nkind = "sql"\nurl = "{url}"'


def received(rows: object) -> Iterator[Received]:
    """Each row as it lies in the outbox."""
    for destination, lane, headers, body in rows:  # type: ignore[attr-defined]
        yield Received(destination, lane, json.loads(headers), bytes(body))
