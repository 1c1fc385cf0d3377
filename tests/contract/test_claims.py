"""What every claim store must do, whichever it is."""

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from loaders.claims import CLAIM_STORES, open_claims
from migrate.core import durable
from migrate.core.errors import BusRefused, CouldNotVerify, UsageError
from migrate.core.flow import BusSpec, ClaimsSpec
from migrate.core.ports import ClaimStore
from tests import services

Fresh = Callable[[Path], AbstractContextManager[str]]


@contextmanager
def folder(place: Path) -> Iterator[str]:
    yield str(place / "claims")


@contextmanager
def sqlite(place: Path) -> Iterator[str]:
    yield f"sqlite:///{place}/claims.db"


@contextmanager
def postgresql(place: Path) -> Iterator[str]:
    with services.database(services.postgresql()) as url:
        yield url


@contextmanager
def mariadb(place: Path) -> Iterator[str]:
    with services.database(services.mariadb()) as url:
        yield url


CASES = [
    pytest.param(("folder", folder), id="folder"),
    pytest.param(("sql", sqlite), id="sql-sqlite"),
    pytest.param(("sql", postgresql), id="sql-postgresql", marks=pytest.mark.service),
    pytest.param(("sql", mariadb), id="sql-mariadb", marks=pytest.mark.service),
]
BODY = b"\x00\xff large" * 300


def name(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def store(spec: ClaimsSpec) -> ClaimStore:
    return open_claims(BusSpec("metip", "sql", "sqlite:////elsewhere/bus.db", claims=spec))


@pytest.fixture(params=CASES)
def spec(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ClaimsSpec]:
    """A store that does not exist yet."""
    kind, fresh = request.param
    with fresh(tmp_path) as url:
        yield ClaimsSpec(kind, url, 10, "met.test")


@pytest.fixture
def made(spec: ClaimsSpec) -> ClaimsSpec:
    """A provisioned one."""
    for _ in range(2):
        one = store(spec)
        one.provision()
        one.close()
    return spec


def test_every_registered_store_is_under_this_contract() -> None:
    """A store is no store before this suite has run over it."""
    assert {case.values[0][0] for case in CASES} == set(CLAIM_STORES)


def test_what_is_kept_is_got_byte_for_byte(made: ClaimsSpec) -> None:
    """By another connection; keeping it again changes nothing."""
    writer = store(made)
    for _ in range(2):
        writer.put({name(BODY): BODY, name(b"x"): b"x"})
    writer.close()
    reader = store(made)
    assert reader.get(name(BODY), len(BODY)) == BODY
    assert reader.get(name(b"x"), 1) == b"x"
    assert [(kept.name, kept.bytes) for kept in reader.held()] == sorted(
        [(name(BODY), len(BODY)), (name(b"x"), 1)]
    )
    reader.close()


def test_what_is_not_there_or_of_another_length_is_none(made: ClaimsSpec) -> None:
    """Missing, cut short and grown are told by the length before a byte is fetched."""
    one = store(made)
    one.put({name(BODY): BODY})
    assert one.get(name(b"y"), 1) is None
    assert one.get(name(BODY), len(BODY) - 1) is None
    assert one.get(name(BODY), len(BODY) + 1) is None
    one.close()


def test_a_claim_that_was_changed_is_kept_anew(made: ClaimsSpec) -> None:
    """What is there under the name but differs gives way to the true body."""
    one = store(made)
    one.put({name(BODY): b"changed"})
    one.put({name(BODY): BODY})
    assert one.get(name(BODY), len(BODY)) == BODY
    assert [kept.name for kept in one.held()] == [name(BODY)]
    one.close()


def test_a_claim_is_removed_as_it_was_listed(made: ClaimsSpec) -> None:
    """And no other; what is gone already is not gone once more."""
    one = store(made)
    one.put({name(BODY): BODY, name(b"x"): b"x"})
    kept = {each.name: each for each in one.held()}
    assert all(each.whole and each.offered for each in kept.values())
    assert one.remove(kept[name(BODY)])
    assert not one.remove(kept[name(BODY)])
    assert [each.name for each in one.held()] == [name(b"x")]
    assert one.get(name(BODY), len(BODY)) is None
    one.put({name(BODY): BODY})
    assert one.get(name(BODY), len(BODY)) == BODY
    one.close()


def test_a_claim_that_was_offered_again_is_not_removed(made: ClaimsSpec) -> None:
    """A run has it under way: keeping what is there already says so."""
    one = store(made)
    one.put({name(BODY): BODY})
    (listed,) = one.held()
    while (again := next(iter(one.held()))).stamp == listed.stamp:
        one.put({name(BODY): BODY})
    assert again.offered and listed.offered and again.offered >= listed.offered
    assert not one.remove(listed)
    assert one.get(name(BODY), len(BODY)) == BODY
    assert one.remove(again)
    one.close()


def test_what_a_writer_died_over_is_listed_as_unfinished(tmp_path: Path) -> None:
    """It is no claim, and can be removed; what else lies in the folder is not the store's."""
    spec = ClaimsSpec("folder", str(tmp_path / "claims"), 10, "met.test")
    one = store(spec)
    one.provision()
    one.put({name(BODY): BODY})
    folder = tmp_path / "claims" / name(BODY)[:2]
    (folder / f".{name(BODY)}.4711.tmp").write_bytes(b"cut sh")
    (folder / "notes.txt").write_text("somebody's")
    assert [(kept.whole, kept.bytes) for kept in one.held()] == [(False, 6), (True, len(BODY))]
    left = next(kept for kept in one.held() if not kept.whole)
    assert one.remove(left)
    assert sorted(path.name for path in folder.iterdir()) == sorted([name(BODY), "notes.txt"])


def test_keeping_is_a_durable_step(made: ClaimsSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told when a body can no longer be lost."""
    events: list[str] = []
    monkeypatch.setattr(durable, "made_durable", events.append)
    one = store(made)
    one.put({name(BODY): BODY})
    one.close()
    assert events == ["claim"]


def test_a_store_that_is_not_there_is_no_empty_one(spec: ClaimsSpec) -> None:
    """Reading says so and makes nothing; writing is refused where nothing was provisioned."""
    reader = store(spec)
    with pytest.raises(CouldNotVerify):
        reader.get(name(BODY), len(BODY))
    with pytest.raises(CouldNotVerify):
        list(reader.held())
    reader.close()
    path = Path(spec.url.removeprefix("sqlite:///"))
    assert not path.exists()


def test_files_are_their_owners_alone(tmp_path: Path) -> None:
    """Folders 0700, files 0600; nothing but the name, which says nothing, shows in a listing."""
    spec = ClaimsSpec("folder", str(tmp_path / "claims"), 10, "met.test")
    one = store(spec)
    one.provision()
    one.put({name(BODY): BODY})
    for path in [tmp_path / "claims", *(tmp_path / "claims").rglob("*")]:
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted


@pytest.mark.parametrize("trap", ["link", "pipe", "folder"])
def test_no_trap_in_a_folder_is_walked_into(tmp_path: Path, trap: str) -> None:
    """A link out of the store, a pipe that would never end, a folder: none is a claim."""
    spec = ClaimsSpec("folder", str(tmp_path / "claims"), 10, "met.test")
    one = store(spec)
    one.put({name(BODY): BODY})
    (claim,) = (path for path in (tmp_path / "claims").rglob("*") if path.is_file())
    claim.unlink()
    (tmp_path / "elsewhere").write_bytes(BODY)
    if trap == "link":
        claim.symlink_to(tmp_path / "elsewhere")
    elif trap == "pipe":
        os.mkfifo(claim)
    else:
        claim.mkdir()
    assert one.get(name(BODY), len(BODY)) is None


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """A file stands where the folder should be: exit 4, with what to look at."""
    (tmp_path / "claims").write_text("no folder")
    one = store(ClaimsSpec("folder", str(tmp_path / "claims"), 10, "met.test"))
    with pytest.raises(BusRefused, match="takes no bodies"):
        one.put({name(BODY): BODY})
    with pytest.raises(BusRefused):
        one.provision()


def test_bus_and_claims_do_not_share_a_sqlite_file() -> None:
    """It has one writer, which holds the bus's transaction."""
    url = "sqlite:////srv/metip.db"
    with pytest.raises(UsageError, match="one SQLite file"):
        open_claims(BusSpec("metip", "sql", url, claims=ClaimsSpec("sql", url, 10, "met.test")))


def test_no_secret_of_a_store_is_told() -> None:
    """Its URL may hold a password."""
    url = "postgresql://claims:hunter2@127.0.0.1:1/none"
    one = store(ClaimsSpec("sql", url, 10, "met.test"))
    with pytest.raises(BusRefused) as refused:
        one.put({name(BODY): BODY})
    assert "hunter2" not in f"{refused.value} {refused.value.hint}"


def test_the_table_is_plain(tmp_path: Path) -> None:
    """`SELECT body FROM claim WHERE name = …` is all that a receiver needs."""
    url = f"sqlite:///{tmp_path}/claims.db"
    one = store(ClaimsSpec("sql", url, 10, "met.test"))
    one.provision()
    one.put({name(BODY): BODY})
    with sa.create_engine(url).connect() as connection:
        query = sa.text("SELECT body FROM claim WHERE name = :name")
        assert connection.execute(query, {"name": name(BODY)}).scalar() == BODY
