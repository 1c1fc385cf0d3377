"""What a proposal must never do, whatever it is pointed at."""

import json
import re
import sqlite3
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.cli import main
from migrate.core.flow import FATES
from migrate.plan.expand import literal_secrets
from migrate.plan.propose import toml
from migrate.sample.estate import write_sample
from tests import services


def init(url: str, out: Path, *words: str) -> int:
    return main(["init", url, "--out", str(out), "--progress", "none", *words])


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "store" / "isb.db"
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE inbox (id INTEGER PRIMARY KEY, payload TEXT)")
    bodies = [(json.dumps({"no": n, "name": f"SURNAME{n}"}),) for n in range(20)]
    connection.executemany("INSERT INTO inbox (payload) VALUES (?)", bodies)
    connection.commit()
    connection.close()
    return path


@pytest.mark.parametrize("there", ["plan.toml", "maps/inbox.sql", "schemas/inbox-1.json"])
def test_no_file_is_ever_written_over(there: str, database: Path, tmp_path: Path) -> None:
    """One file in the way, and nothing is written at all."""
    taken = tmp_path / "out" / there
    taken.parent.mkdir(parents=True)
    taken.write_text("mine")
    assert init(str(database), tmp_path / "out" / "plan.toml") == 2
    assert [p for p in (tmp_path / "out").rglob("*") if p.is_file()] == [taken]
    assert taken.read_text() == "mine"


def test_a_link_in_the_way_is_a_file_in_the_way(database: Path, tmp_path: Path) -> None:
    """Even one that leads nowhere."""
    (tmp_path / "plan.toml").symlink_to(tmp_path / "elsewhere.toml")
    assert init(str(database), tmp_path / "plan.toml") == 2
    assert not (tmp_path / "elsewhere.toml").exists()


def test_a_plan_never_lands_in_the_store_it_is_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be a file of the spool, and so would its mappings."""
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    monkeypatch.chdir(tmp_path)
    assert init(".", Path("plan.toml")) == 2
    assert init(str(tmp_path), tmp_path / "deep" / "plan.toml") == 2
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]


def test_the_store_is_not_touched(database: Path, tmp_path: Path) -> None:
    """Not a byte, and no file beside it."""
    before = database.read_bytes()
    assert init(str(database), tmp_path / "out" / "plan.toml") == 0
    assert database.read_bytes() == before
    assert [p.name for p in database.parent.iterdir()] == ["isb.db"]


@pytest.mark.service
def test_a_password_stays_out_of_everything(tmp_path: Path, capsys, monkeypatch) -> None:
    """The plan names a variable, the command says which; neither shows the secret."""
    import sqlalchemy as sa

    with services.database(services.mariadb()) as url:
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        name = sa.make_url(url).database
        with engine.begin() as connection:
            connection.execute(sa.text("CREATE TABLE inbox (id INT PRIMARY KEY, payload TEXT)"))
            connection.execute(sa.text("INSERT INTO inbox VALUES (1, '<a><b>1</b></a>')"))
            account = f"reader_{name[-8:]}"  # type: ignore[index]
            create = f"CREATE USER {account}@localhost IDENTIFIED BY 'hunter2secret'"
            connection.execute(sa.text(create))
            connection.execute(sa.text(f"GRANT SELECT ON {name}.* TO {account}@localhost"))
        try:
            own = sa.make_url(url).set(username=account, password="hunter2secret")
            text = own.render_as_string(hide_password=False)
            assert init(text, tmp_path / "plan.toml") == 0
            output = capsys.readouterr()
            written = "".join(p.read_text() for p in tmp_path.rglob("*") if p.is_file())
            assert "hunter2secret" not in output.out + output.err + written
            assert "export ISB_URL=" in output.out
            plan = tomllib.loads((tmp_path / "plan.toml").read_text())
            assert plan["store"]["legacy"]["url"] == "${ISB_URL}"
            monkeypatch.setenv("ISB_URL", text)
            assert main(["check", str(tmp_path / "plan.toml"), "--progress", "none"]) == 0
            assert init("${ISB_URL}", tmp_path / "again" / "plan.toml") == 0
        finally:
            with engine.begin() as connection:
                connection.execute(sa.text(f"DROP USER {account}@localhost"))


@pytest.mark.service
def test_an_account_that_could_write_is_proposed_only_when_asked_for(tmp_path: Path) -> None:
    """Without --allow-writes the plan is there, and check refuses it with what to do."""
    import sqlalchemy as sa

    with services.database(services.postgresql()) as url:
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        with engine.begin() as connection:
            connection.execute(sa.text("CREATE TABLE inbox (id int PRIMARY KEY, payload text)"))
            connection.execute(sa.text("INSERT INTO inbox VALUES (1, '{}')"))
        assert init(url, tmp_path / "plan.toml") == 2
        text = (tmp_path / "plan.toml").read_text()
        assert "\n# allow_writes = true # this account can change the store" in text


def test_an_unreachable_database_is_three_and_leaves_nothing(tmp_path: Path, capsys) -> None:
    """And the password in its URL is not in the message."""
    url = "postgresql://isb:hunter2secret@127.0.0.1:1/isb"
    assert init(url, tmp_path / "out" / "plan.toml") == 3
    output = capsys.readouterr()
    assert "hunter2secret" not in output.out + output.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "url", ["nothing-here", "jdbc:postgresql://h/d", "postgres://h/d", "http//x"]
)
def test_what_is_neither_file_nor_url_is_two(url: str, tmp_path: Path) -> None:
    """With a remedy, before anything is written."""
    assert init(url, tmp_path / "out" / "plan.toml") == 2
    assert not (tmp_path / "out").exists()


def test_a_place_without_messages_is_two_and_says_why(tmp_path: Path, capsys) -> None:
    """There is no plan of nothing: an empty folder, a database of locks."""
    (tmp_path / "empty").mkdir()
    assert init(str(tmp_path / "empty"), tmp_path / "out" / "plan.toml") == 2
    connection = sqlite3.connect(tmp_path / "isb.db")
    connection.execute("CREATE TABLE isb_lock (name TEXT, held_by TEXT)")
    connection.close()
    capsys.readouterr()
    assert init(str(tmp_path / "isb.db"), tmp_path / "out" / "plan.toml") == 2
    assert "isb_lock: TO BE COMPLETED: looks like what the bus needs" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_no_value_of_a_payload_gets_into_a_proposal(tmp_path: Path, capsys) -> None:
    """Nor an id: of the sample estate's database and spool no text of four letters or digits."""
    write_sample(tmp_path / "estate", 400, 5)
    written = ""
    for part in ("isb.db", "spool"):
        assert init(str(tmp_path / "estate" / part), tmp_path / part / "plan.toml") == 0
        files = [p for p in (tmp_path / part).rglob("*") if p.is_file()]
        written += "".join(p.read_text(encoding="utf-8") for p in files)
    output = capsys.readouterr()
    written += output.out + output.err
    connection = sqlite3.connect(tmp_path / "estate" / "isb.db")
    texts = [row[0] for row in connection.execute("SELECT payload FROM isb_message") if row[0]]
    ids = {row[0] for row in connection.execute("SELECT msg_id FROM isb_message") if row[0]}
    connection.close()
    values = ids
    for text in (text.decode("utf-8", "replace") for text in texts):
        values |= set(re.findall(r">\s*([^<>\s][^<>]{3,})\s*<", text))
        values |= set(re.findall(r'":\s*"([^"]{4,})"', text))
    names = {"kind", "note"}  # values that are names of members too
    assert len(values) > 500
    found = {value for value in values if re.search(rf"\b{re.escape(value)}\b", written)}
    assert found - names <= FOUND_ELSEWHERE


FOUND_ELSEWHERE = {"MOBILE.EVENT"}
"""Texts of payloads that the proposal has from elsewhere: a message type of the table."""


def test_objects_named_by_their_members_values_are_not_looked_into(tmp_path: Path) -> None:
    """A map from number plates to vehicles has plates for names; none is in the plan."""
    path = tmp_path / "isb.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE inbox (id INTEGER PRIMARY KEY, payload TEXT)")
    plates = [f"AB{n:02d}{letters}" for n in range(60) for letters in ("CDE", "XYZ")]
    for number in range(60):
        seen = {plate: {"colour": "red"} for plate in plates[number : number + 2]}
        body = json.dumps({"no": number, "seen": seen})
        connection.execute("INSERT INTO inbox (payload) VALUES (?)", (body,))
    connection.commit()
    connection.close()
    assert init(str(path), tmp_path / "out" / "plan.toml") == 0
    written = "".join(p.read_text() for p in (tmp_path / "out").rglob("*") if p.is_file())
    assert [plate for plate in plates if plate in written] == []
    fields = tomllib.loads((tmp_path / "out" / "plan.toml").read_text())["flow"]["inbox"]["payload"]
    assert fields["fields"] == {"no": "/no"}


def test_nothing_is_replayed_and_no_real_bus_is_named(database: Path, tmp_path: Path) -> None:
    """As it stands: one fate, archived; a bus in a file beside the plan; no secret in plain."""
    assert init(str(database), tmp_path / "out" / "plan.toml") == 0
    raw = tomllib.loads((tmp_path / "out" / "plan.toml").read_text())
    fates = {rule["fate"] for flow in raw["flow"].values() for rule in flow["fate"]}
    assert fates == {"archived"} < set(FATES)
    (bus,) = raw["bus"].values()
    assert bus == {"kind": "sql", "url": "sqlite:///${PLAN_DIR}/rehearsal-bus.db"}
    assert not any(literal_secrets(store["url"]) for store in raw["store"].values())
    assert "output" not in raw["flow"]["inbox"] and "offramp" not in raw


def test_paths_below_the_plans_folder_move_with_it(database: Path, tmp_path: Path) -> None:
    """A store beside its plan is named from ${PLAN_DIR}, any other by its whole path."""
    assert init(str(database), database.parents[1] / "plan.toml") == 0
    raw = tomllib.loads((database.parents[1] / "plan.toml").read_text())
    assert raw["store"]["legacy"]["url"] == "sqlite:///${PLAN_DIR}/store/isb.db"
    assert init(str(database), tmp_path / "far" / "plan.toml") == 0
    raw = tomllib.loads((tmp_path / "far" / "plan.toml").read_text())
    assert raw["store"]["legacy"]["url"] == f"sqlite:///{database}"


NAMES = st.text(min_size=1)
VALUES = st.recursive(
    st.text() | st.booleans() | st.integers(-(2**62), 2**62),
    lambda inner: st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=6,
)


@given(NAMES, VALUES | st.lists(st.text(), max_size=40), st.none() | st.text())
def test_whatever_things_are_called_toml_reads_what_was_written(
    name: str, value: toml.Value, remark: str | None
) -> None:
    """No name, value or comment breaks out of its place."""
    assert tomllib.loads(toml.pair(name, value, remark)) == {name: value}
