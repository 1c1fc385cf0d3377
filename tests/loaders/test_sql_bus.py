"""The SQL bus beyond the contract: what its witness endures, what it refuses."""

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa

from loaders.sql.observe import BATCH_BYTES, Observer
from loaders.sql.provision import Provisioner
from loaders.sql.publish import Publisher
from migrate.core.errors import BusRefused, CouldNotVerify, UsageError
from migrate.core.flow import BusSpec, OffRampSpec
from migrate.core.ports import Receipts
from migrate.core.schema import OBSERVED
from tests import services
from tests.windows import Sent, window
from tests.windows import publish as sent_by


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the bus file lies; a name that SQLite's URIs would misread."""
    return tmp_path / "bus 100%?#.db"


@pytest.fixture
def spec(path: Path) -> BusSpec:
    """A provisioned embedded bus."""
    spec = BusSpec("metip", "sql", "sqlite:///" + str(path).replace("%", "%25").replace("?", "%3F"))
    Provisioner(spec, {}).provision()
    return spec


@pytest.fixture
def bare(path: Path, spec: BusSpec) -> Iterator[sqlite3.Connection]:
    """A stranger's connection to the same file."""
    connection = sqlite3.connect(path, isolation_level=None)
    yield connection
    connection.close()


def seen(spec: BusSpec, since: dict[str, str] | None = None) -> list[dict[str, object]]:
    """Everything the witness sees."""
    batches = Observer(spec, {}).observe(since or {})
    return list(pa.Table.from_batches(list(batches), OBSERVED).to_pylist())


def sent(number: int, body: bytes = b"x") -> Sent:
    return Sent("custody", f"{number:032x}", {}, body)


def publish(publisher: Publisher, deliveries: list[Sent]) -> Receipts:
    return sent_by(publisher, window(deliveries, run="r"))


def test_the_table_is_as_documented(path: Path, spec: BusSpec, bare: sqlite3.Connection) -> None:
    """People script against this table: names, order, types, and no key but the position."""
    columns = bare.execute("SELECT name, type, pk FROM pragma_table_info('delivery')").fetchall()
    assert columns == [
        ("position", "INTEGER", 1),
        ("destination", "TEXT", 0),
        ("lane", "TEXT", 0),
        ("message_id", "TEXT", 0),
        ("headers", "TEXT", 0),
        ("body", "BLOB", 0),
        ("published_at", "TEXT", 0),
    ]
    assert bare.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert bare.execute("SELECT COUNT(*) FROM sqlite_master").fetchone() == (1,)


def test_the_bus_file_is_private(path: Path, spec: BusSpec) -> None:
    """Bodies are police data: nobody else may read the file."""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_two_equal_rows_fit_into_the_bus(spec: BusSpec) -> None:
    """A bus must be able to hold every fault that is looked for."""
    publisher = Publisher(spec, {})
    publish(publisher, [sent(1), sent(1)])
    publisher.close()
    assert len(seen(spec)) == 2


def test_the_witness_shows_tampered_rows_as_they_lie_there(
    spec: BusSpec, bare: sqlite3.Connection
) -> None:
    """Text in a body, numbers in names, nulls, broken UTF-8, headers that are no JSON."""
    insert = "INSERT INTO delivery VALUES (?, ?, ?, ?, ?, ?, ?)"
    bare.execute(insert, (1, "custody", "bulk", "a", "no json {", "a text bödy", "now"))
    bare.execute(insert, (2, None, None, None, None, None, None))
    bare.execute(insert, (3, 7, 1.5, b"\xff\xfe", "{}", 12, None))
    bare.execute("INSERT INTO delivery(position, message_id) VALUES (4, CAST(x'ff41' AS TEXT))")
    bare.execute(insert, (-9, "custody", "bulk", "b", "{}", b"\x00\xff", "now"))
    rows = seen(spec)
    assert [row["arrival"] for row in rows] == [-9, 1, 2, 3, 4]
    assert [row["body"] for row in rows] == [
        b"\x00\xff",
        "a text bödy".encode(),
        None,
        b"12",
        None,
    ]
    assert [row["destination"] for row in rows] == ["custody", "custody", None, "7", None]
    assert [row["message_id"] for row in rows] == ["b", "a", None, "\ufffd\ufffd", "\ufffdA"]
    assert rows[1]["headers"] == "no json {"


def test_rows_of_no_destination_are_never_hidden_by_start_positions(
    spec: BusSpec, bare: sqlite3.Connection
) -> None:
    """Blanking the destination does not take a row out of sight."""
    bare.execute("INSERT INTO delivery(position, destination) VALUES (1, 'custody'), (2, NULL)")
    assert [row["arrival"] for row in seen(spec, {"custody": "5", "nfd": "9"})] == [2]


def test_a_locked_bus_could_not_be_verified(spec: BusSpec, bare: sqlite3.Connection) -> None:
    """A foreign exclusive lock is noticed, not waited out."""
    bare.execute("BEGIN EXCLUSIVE")
    with pytest.raises(CouldNotVerify):
        seen(spec)
    with pytest.raises(CouldNotVerify):
        Observer(spec, {}).positions()
    bare.execute("ROLLBACK")
    assert seen(spec) == []


def test_a_missing_bus_is_not_created_by_looking(path: Path, spec: BusSpec) -> None:
    """The witness never makes the thing it is asked to look at."""
    path.unlink()
    with pytest.raises(CouldNotVerify):
        seen(spec)
    assert not path.exists()


@pytest.mark.parametrize("content", [b"", b"not a database at all " * 99])
def test_a_file_that_is_no_bus_could_not_be_verified(
    path: Path, spec: BusSpec, content: bytes
) -> None:
    """An emptied or overwritten file proves nothing."""
    path.write_bytes(content)
    with pytest.raises(CouldNotVerify):
        seen(spec)


def test_a_damaged_page_could_not_be_verified(path: Path, spec: BusSpec) -> None:
    """A tree that leads nowhere is reported, not read in part."""
    publisher = Publisher(spec, {})
    publish(publisher, [sent(number, b"b" * 3000) for number in range(500)])
    publisher.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2 // 8192 * 8192)
        file.write(b"\xff" * 64)
    with pytest.raises(CouldNotVerify):
        seen(spec)


def test_a_table_without_a_position_key_could_not_be_verified(
    spec: BusSpec, bare: sqlite3.Connection
) -> None:
    """A table someone rebuilt without positions has no arrival order to speak of."""
    bare.execute("DROP TABLE delivery")
    names = "position, destination, lane, message_id, headers, body"
    bare.execute(f"CREATE TABLE delivery({names})")
    bare.execute("INSERT INTO delivery(position) VALUES (NULL)")
    with pytest.raises(CouldNotVerify):
        seen(spec)


def test_the_witness_cannot_write(spec: BusSpec, path: Path) -> None:
    """Looking leaves the file byte for byte as it was."""
    publisher = Publisher(spec, {})
    publish(publisher, [sent(1)])
    publisher.close()
    before = path.read_bytes()
    seen(spec)
    assert path.read_bytes() == before


def test_large_bodies_are_observed_in_bounded_batches(spec: BusSpec) -> None:
    """Memory does not grow with the number of large messages."""
    publisher = Publisher(spec, {})
    for number in range(40):
        publish(publisher, [sent(number, b"x" * (BATCH_BYTES // 16))])
    publisher.close()
    sizes = [batch.num_rows for batch in Observer(spec, {}).observe({})]
    assert sum(sizes) == 40
    assert len(sizes) > 1


def test_publishing_to_a_bus_that_is_not_there_is_refused(path: Path, spec: BusSpec) -> None:
    """Only provisioning creates."""
    path.unlink()
    with pytest.raises(BusRefused):
        Publisher(spec, {})
    assert not path.exists()


def test_a_refused_window_leaves_nothing_behind(spec: BusSpec, bare: sqlite3.Connection) -> None:
    """A window lands whole or not at all."""
    bare.execute(
        "CREATE TRIGGER no_nines BEFORE INSERT ON delivery WHEN new.message_id LIKE '%9' "
        "BEGIN SELECT RAISE(FAIL, 'no'); END"
    )
    publisher = Publisher(spec, {})
    with pytest.raises(BusRefused):
        publish(publisher, [sent(number) for number in range(20)])
    assert seen(spec) == []
    assert publish(publisher, [sent(1)]).confirmed == [True]
    publisher.close()


@pytest.mark.parametrize("dropped", [0, 7, 60])
def test_a_window_of_which_a_trigger_drops_rows_is_refused(
    spec: BusSpec, bare: sqlite3.Connection, dropped: int
) -> None:
    """SQLite calls that a success; nobody may take such a row for confirmed."""
    bare.execute(
        f"CREATE TRIGGER drops BEFORE INSERT ON delivery WHEN new.message_id = '{dropped:032x}' "
        "BEGIN SELECT RAISE(IGNORE); END"
    )
    publisher = Publisher(spec, {})
    with pytest.raises(BusRefused):
        publish(publisher, [sent(number) for number in range(107)])
    assert seen(spec) == []
    publisher.close()


def test_nothing_is_written_behind_a_refused_window(
    spec: BusSpec, bare: sqlite3.Connection
) -> None:
    """Both were under way; the second would have landed, and stays in doubt with the first."""
    bare.execute(
        "CREATE TRIGGER no_nines BEFORE INSERT ON delivery WHEN new.message_id LIKE '%9' "
        "BEGIN SELECT RAISE(FAIL, 'no'); END"
    )
    publisher = Publisher(spec, {})
    refused, behind = window([sent(9)]), window([sent(number) for number in range(8)])
    publisher.send(refused)
    publisher.send(behind)
    with pytest.raises(BusRefused):
        publisher.receipts()
    assert seen(spec) == []
    resolved = publisher.resolve(behind, None, {})
    assert resolved is not None
    assert not any(resolved.confirmed)
    publisher.close()


def test_a_bus_filled_to_its_last_position_is_refused(
    spec: BusSpec, bare: sqlite3.Connection
) -> None:
    """Behind the last position SQLite would give any free one, and order would be lost."""
    bare.execute("INSERT INTO delivery(position) VALUES (?)", (2**63 - 2,))
    publisher = Publisher(spec, {})
    with pytest.raises(BusRefused):
        publish(publisher, [sent(1), sent(2)])
    assert len(seen(spec)) == 1
    publisher.close()


def test_a_foreign_table_of_that_name_is_left_alone(
    spec: BusSpec, bare: sqlite3.Connection
) -> None:
    """Provisioning says what is missing and alters nothing."""
    bare.execute("DROP TABLE delivery")
    bare.execute("CREATE TABLE delivery(position INTEGER PRIMARY KEY, parcel TEXT)")
    with pytest.raises(BusRefused, match="message_id"):
        Provisioner(spec, {}).provision()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "no url at all", "nodb://x/y"])
def test_a_url_that_is_no_lasting_bus_is_a_usage_error(url: str) -> None:
    """A bus in memory is gone before anybody can look at it."""
    with pytest.raises(UsageError):
        Provisioner(BusSpec("metip", "sql", url), {}).provision()


def test_no_error_shows_the_url(tmp_path: Path) -> None:
    """A password in a URL reaches no message."""
    spec = BusSpec("metip", "sql", "postgresql://joe:hunter2@127.0.0.1:1/none")
    with pytest.raises(BusRefused) as refused:
        Publisher(spec, {})
    with pytest.raises(CouldNotVerify) as unread:
        list(Observer(spec, {}).observe({}))
    for error in (refused, unread):
        assert "hunter2" not in str(error.value) + str(error.value.hint)


def test_rows_may_have_gone_before_a_start_that_is_not_known(spec: BusSpec) -> None:
    """Unless the plan says that they stay. Behind a start every row that is there is seen."""
    offramps = {name: OffRampSpec(name) for name in ("custody", "nfd")}
    for said, doubted in ((None, {"nfd"}), ("delete", {"nfd"}), ("keep", set())):
        bus = replace(spec, options=(("receivers", said),) if said else ())
        sights = Observer(bus, offramps).sights({"custody": ""})
        assert {name for name, sight in sights.items() if sight.doubt} == doubted


def sql_of(kind: str, folder: Path) -> AbstractContextManager[str]:
    servers = {"postgresql": services.postgresql, "mariadb": services.mariadb}
    if kind in servers:
        return services.database(servers[kind]())
    return nullcontext(f"sqlite:///{folder}/metip.db")


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.service),
        pytest.param("mariadb", marks=pytest.mark.service),
    ]
)
def emptied(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BusSpec]:
    """An outbox whose receivers delete what they have taken."""
    with sql_of(request.param, tmp_path) as url:
        spec = BusSpec("metip", "sql", url, (("receivers", "delete"),))
        Provisioner(spec, {}).provision()
        yield spec


TAPS = {"custody": OffRampSpec("custody", observe="tap")}


@pytest.fixture
def copied(emptied: BusSpec) -> BusSpec:
    """The same with a tap, which changes nothing of the outbox itself."""
    Provisioner(emptied, TAPS).provision()
    return emptied


def shown(spec: BusSpec, since: dict[str, str] | None = None) -> list[tuple[object, object]]:
    """Message and place of everything that the witness sees of a tapped off-ramp."""
    batches = list(Observer(spec, TAPS).observe(since or {}))
    rows = pa.Table.from_batches(batches, OBSERVED).to_pylist()
    return [(int(row["message_id"] or "0", 16), row["place"]) for row in rows]


def test_what_receivers_have_taken_is_seen_by_its_copy(copied: BusSpec) -> None:
    """At the place of its receipt, in order, from a start on; once, be its row there or not."""
    with closing(Publisher(copied, TAPS)) as publisher:
        first = publish(publisher, [sent(1)])
        since = dict(Observer(copied, TAPS).positions())
        receipts = publish(publisher, [sent(number) for number in (2, 3, 4)])
    take(copied, 1, 3, 4)
    assert since == {"custody": first.positions[0]}
    assert dict(Observer(copied, TAPS).positions()) == {"custody": receipts.positions[-1]}
    behind = list(zip((2, 3, 4), receipts.positions, strict=True))
    assert shown(copied, since) == behind
    assert shown(copied) == [(1, first.positions[0]), *behind]
    (sight,) = Observer(copied, TAPS).sights({}).values()
    assert (sight.how, sight.doubt) == ("tap", None)


def test_rows_are_shown_as_they_lie_beside_their_copies(copied: BusSpec) -> None:
    """A row that somebody changed, and one that somebody put there, are not hidden by a tap."""
    with closing(Publisher(copied, TAPS)) as publisher:
        publish(publisher, [sent(1), sent(2)])
    engine = sa.create_engine(copied.url.replace("mariadb:", "mariadb+pymysql:"))
    with engine.begin() as connection:
        changed = f"UPDATE delivery SET message_id = '7' WHERE message_id = '{1:032x}'"
        connection.execute(sa.text(changed))
        stray = "INSERT INTO delivery(destination, message_id) VALUES ('custody', '9')"
        connection.execute(sa.text(stray))
    engine.dispose()
    assert [number for number, _ in shown(copied)] == [7, 2, 9]


def test_a_tap_resolves_what_receivers_have_emptied(copied: BusSpec) -> None:
    """A window that landed and was taken, and one that never landed, are told for certain."""
    with closing(Publisher(copied, TAPS)) as publisher:
        receipts = publish(publisher, [sent(1), sent(2)])
        take(copied)
        landed = publisher.resolve(window([sent(1), sent(2)], run="r"), None, {})
        never = publisher.resolve(window([sent(3), sent(4)], run="r"), None, {})
    assert landed is not None and never is not None
    assert (list(landed.confirmed), landed.positions) == ([True, True], list(receipts.positions))
    assert list(never.confirmed) == [False, False]


def test_a_window_that_fails_leaves_no_copy(copied: BusSpec) -> None:
    """Row and copy land together or not at all."""
    engine = sa.create_engine(copied.url.replace("mariadb:", "mariadb+pymysql:"))
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE delivery_tap"))
    engine.dispose()
    with closing(Publisher(copied, TAPS)) as publisher, pytest.raises(BusRefused):
        publish(publisher, [sent(1)])
    assert seen(copied) == []


@pytest.mark.service
def test_a_window_of_which_a_server_drops_rows_is_refused() -> None:
    """To the driver that is a success; nobody may take such a row for confirmed."""
    with services.database(services.postgresql()) as url:
        spec = BusSpec("metip", "sql", url)
        Provisioner(spec, {}).provision()
        engine = sa.create_engine(url)
        with engine.begin() as connection:
            connection.exec_driver_sql(
                "CREATE FUNCTION drop_it() RETURNS trigger LANGUAGE plpgsql AS"
                f" 'BEGIN IF new.message_id = ''{1:032x}'' THEN RETURN NULL; END IF;"
                " RETURN new; END'"
            )
            connection.exec_driver_sql(
                "CREATE TRIGGER drops BEFORE INSERT ON delivery"
                " FOR EACH ROW EXECUTE FUNCTION drop_it()"
            )
        engine.dispose()
        with closing(Publisher(spec, {})) as publisher, pytest.raises(BusRefused):
            publish(publisher, [sent(0), sent(1)])
        assert seen(spec) == []


def take(spec: BusSpec, *numbers: int) -> None:
    """Delete the rows of these messages, as a receiver does; of all without any."""
    engine = sa.create_engine(spec.url.replace("mariadb:", "mariadb+pymysql:"))
    where = " OR ".join(f"message_id = '{number:032x}'" for number in numbers) or "1 = 1"
    with engine.begin() as connection:
        connection.execute(sa.text(f"DELETE FROM delivery WHERE {where}"))
    engine.dispose()


def test_no_position_comes_again_where_rows_are_deleted(emptied: BusSpec) -> None:
    """What comes behind a start is seen and found, though the rows before it are gone; a process
    that begins on an empty table goes on where the last one was."""
    with closing(Publisher(emptied, {})) as publisher:
        first = publish(publisher, [sent(1), sent(2)])
    since = dict(Observer(emptied, {}).positions())
    assert since == {"custody": first.positions[-1]}
    take(emptied)
    with closing(Publisher(emptied, {})) as publisher:
        receipts = publish(publisher, [sent(3), sent(4)])
    places = [row["place"] for row in seen(emptied, since)]
    assert places == list(receipts.positions)
    assert min(int(str(place)) for place in places) > int(since["custody"])


def test_a_window_that_receivers_have_emptied_is_no_lost_one(emptied: BusSpec) -> None:
    """One row that is left stands for all of its window, which landed whole; without any nobody
    can tell whether it landed."""
    with closing(Publisher(emptied, {})) as publisher:
        receipts = publish(publisher, [sent(1), sent(2), sent(3)])
        inquired = window([sent(1), sent(2), sent(3)], run="r")
        take(emptied, 1, 3)
        answers = publisher.resolve(inquired, None, {})
        assert answers is not None
        assert list(answers.confirmed) == [True] * 3
        assert list(answers.positions) == [None, receipts.positions[1], None]
        take(emptied)
        assert publisher.resolve(inquired, None, {}) is None


def test_a_table_that_gives_positions_again_is_refused_where_rows_are_deleted(
    spec: BusSpec,
) -> None:
    """It was made when nobody said so."""
    bus = replace(spec, options=(("receivers", "delete"),))
    with pytest.raises(BusRefused, match="gives positions again"):
        Provisioner(bus, {}).provision()
