"""A hot standby cancels what holds up the primary's changes; the read goes on all the same."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from migrate.core.errors import LegacyUnreadable
from tests.extractors.sql_store import flow, opened, run, whole
from tests.extractors.standby import standby

LOCK = 7
WAITING = f"pg_advisory_xact_lock_shared({LOCK}) IS NOT NULL"
SOURCE = flow(key=("id",), columns=(("body", "body"),), where=WAITING)
KEYLESS = flow(columns=(("body", "body"),), order_by=("id",))
TURNS = 2000


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[str, str]]:
    """A primary with a table of messages, and its standby."""
    with standby() as (primary, replica):
        yield primary, replica


@pytest.fixture
def servers(pair: tuple[str, str]) -> tuple[str, str]:
    """Both, with the table filled anew and replayed."""
    primary, replica = pair
    run(
        primary,
        "DROP TABLE IF EXISTS message",
        "CREATE TABLE message (id int PRIMARY KEY, body text)",
        "INSERT INTO message SELECT n, 'body ' || n || repeat('x', 500)"
        " FROM generate_series(1, 2000) n",
    )
    replayed(primary, replica)
    return pair


def one(url: str, query: str) -> Any:
    engine = sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        found = connection.exec_driver_sql(query)
        return found.scalar() if found.returns_rows else None


def until(holds: Callable[[], bool]) -> None:
    """Ask the server until something holds; each time is a question to it."""
    assert any(holds() for _ in range(TURNS))


def replayed(primary: str, replica: str) -> None:
    """The standby has come to where the primary is now."""
    now = one(primary, "SELECT pg_current_wal_flush_lsn()")
    reached = f"SELECT pg_last_wal_replay_lsn() >= '{now}'::pg_lsn"
    until(lambda: bool(one(replica, reached)))


def purge(primary: str, condition: str) -> None:
    """Delete rows and vacuum them away, which no snapshot of the standby may hold up."""
    run(primary, f"DELETE FROM message WHERE {condition}")
    one(primary, "VACUUM message")
    run(primary, "COMMENT ON TABLE message IS 'purged'")  # its commit sends all that is before it


def conflicts(replica: str) -> int:
    return int(one(replica, "SELECT sum(confl_snapshot) FROM pg_stat_database_conflicts"))


@pytest.mark.service
@pytest.mark.parametrize("adbc", [True, False])
def test_a_page_cancelled_by_recovery_is_read_again(servers: tuple[str, str], adbc: bool) -> None:
    """While it waits for a lock the primary purges rows of its snapshot: SQLSTATE 40001.
    What is streamed is put together again to pages of the plan's size."""
    primary, replica = servers
    before = conflicts(replica)
    engine = sa.create_engine(replica, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with (
        ThreadPoolExecutor(1) as pool,
        opened(replica, adbc=adbc, batch_rows=1000) as store,
        engine.connect() as holder,  # let go first, whatever happens
    ):
        holder.exec_driver_sql(f"SELECT pg_advisory_lock({LOCK})")
        reading = pool.submit(lambda: list(store.read(SOURCE)))
        asked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory'"
        until(lambda: one(replica, asked) == 1)
        purge(primary, "mod(id, 2) = 0")
        until(lambda: conflicts(replica) > before)
        holder.exec_driver_sql(f"SELECT pg_advisory_unlock({LOCK})")
        found = reading.result()
    ids = whole(found).column("legacy_id").to_pylist()
    assert ids == [str(n) for n in range(1, 2001, 2)]
    assert found[0].table.num_rows == (1000 if adbc else 250)


@pytest.mark.service
def test_a_pass_without_a_key_proves_what_it_read_before(servers: tuple[str, str]) -> None:
    """Cancelled between two chunks: rows behind may be purged, rows before may not.

    By rows: a server that is sending is cancelled only when it is read on.
    """
    primary, replica = servers
    with opened(replica, adbc=False, batch_rows=100) as store:
        reading = iter(store.read(KEYLESS))
        first = next(reading)
        purge(primary, "id > 1900")
        replayed(primary, replica)
        assert whole([first, *reading]).num_rows == 1900
        reading = iter(store.read(KEYLESS))
        next(reading)
        purge(primary, "id < 50")
        replayed(primary, replica)
        with pytest.raises(LegacyUnreadable, match="not those that were read"):
            list(reading)
