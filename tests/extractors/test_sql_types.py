"""Every type of column becomes one text, the same by every driver, and loses nothing."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests import services
from tests.extractors.sql_store import flow, opened, read, run, sqlite_file

TEXT = 'naïve ☃ 𝄞 "q" \\ \t\r\n %s :name ?'
ROW = flow(key=("id",))


def rows(url: str | Path, *, adbc: bool = True) -> list[dict[str, object]]:
    """The records of a source without a body column, as JSON gives them back."""
    return [json.loads(body) for body in read(url, ROW, adbc=adbc).column("body").to_pylist()]


SQLITE = {
    "id INTEGER PRIMARY KEY": ("1", "1"),
    "n INTEGER": ("12345678901234567", "12345678901234567"),
    "t TEXT": (f"'{TEXT}'", TEXT),
    "empty TEXT": ("''", ""),
    "missing TEXT": ("NULL", None),
    "b BLOB": ("x'00ff'", {"$base64": "AP8="}),
    "e BLOB": ("x''", {"$base64": ""}),
    "r REAL": ("0.1 + 0.2", "0.30000000000000004"),
    "small REAL": ("5e-324", "5e-324"),
    "whole REAL": ("3", "3.0"),
    "d NUMERIC": ("'12345678901234567890.123'", "1.2345678901234567e+19"),
    "kept TEXT_DECIMAL": ("'1.10'", "1.10"),
    "any_real": ("1.5", "1.5"),
    "any_text": ("'1.5'", "1.5"),
    "int_in_text TEXT": ("7", "7"),
    "text_in_int INTEGER": ("'abc'", "abc"),
    "j JSON": ("'{\"a\": 1.10}'", '{"a": 1.10}'),
    "blob_in_text TEXT": ("x'41'", {"$base64": "QQ=="}),
}
POSTGRESQL = {
    "id uuid PRIMARY KEY": (
        "'0F8FAD5B-D9CB-469F-A165-70867728950E'",
        "0f8fad5b-d9cb-469f-a165-70867728950e",
    ),
    "i bigint": ("9223372036854775807", "9223372036854775807"),
    "d numeric": ("12345678901234567890.123", "12345678901234567890.123"),
    "m numeric(10, 2)": ("1.1", "1.10"),
    "r double precision": ("0.1::float8 + 0.2", "0.30000000000000004"),
    "f real": ("1.1", "1.1"),
    "nan numeric": ("'NaN'", "NaN"),
    "ts timestamp": ("'2018-03-25 01:30:00.5'", "2018-03-25 01:30:00.5"),
    "tz timestamptz": ("'2018-03-25 02:30:00.123456+02'", "2018-03-25 00:30:00.123456+00"),
    "da date": ("'2018-02-28'", "2018-02-28"),
    "never timestamp": ("'infinity'", "infinity"),
    "bc date": ("'0044-03-15 BC'", "0044-03-15 BC"),
    "b bytea": ("'\\x00ff'", {"$base64": "AP8="}),
    "t text": (f"E'{TEXT}'".replace("\\ ", "\\\\ "), TEXT),
    "c char(5)": ("'ab'", "ab"),
    "empty text": ("''", ""),
    "nothing text": ("NULL", None),
    "yes boolean": ("true", "true"),
    "j json": ("'{\"a\": 1.10}'", '{"a": 1.10}'),
    "jb jsonb": ("'{\"a\": 1.10}'", '{"a": 1.10}'),
    "a text[]": ("ARRAY['x', NULL]", "{x,NULL}"),
    "iv interval": ("'1 day 2 hours'", "1 day 02:00:00"),
    "x xml": ("'<a/>'", "<a/>"),
}
MARIADB = {
    "id VARCHAR(20) PRIMARY KEY": ("'M1'", "M1"),
    "i BIGINT UNSIGNED": ("18446744073709551615", "18446744073709551615"),
    "d DECIMAL(30, 3)": ("12345678901234567890.123", "12345678901234567890.123"),
    "m DECIMAL(10, 2)": ("1.1", "1.10"),
    "r DOUBLE": ("0.1e0 + 0.2e0", "0.30000000000000004"),
    "f FLOAT": ("1.1", "1.100000023841858"),
    "ts DATETIME(1)": ("'2018-03-25 01:30:00.5'", "2018-03-25 01:30:00.5"),
    "zero DATE": ("'2018-02-28'", "2018-02-28"),
    "t1 TIMESTAMP NULL": ("'2018-03-25 00:30:00'", "2018-03-25 00:30:00"),
    "b VARBINARY(10)": ("x'00ff'", {"$base64": "AP8="}),
    "lb LONGBLOB": ("x'ff'", {"$base64": "/w=="}),
    "t LONGTEXT": ("'" + TEXT.replace("\\", "\\\\") + "'", TEXT),
    "latin TEXT CHARACTER SET latin1": ("'naïve'", "naïve"),
    "empty TEXT": ("''", ""),
    "nothing TEXT": ("NULL", None),
    "yes BOOLEAN": ("TRUE", "1"),
    "j JSON": ("'{\"a\": 1.10}'", '{"a": 1.10}'),
    "en ENUM('b', 'a')": ("'a'", "a"),
    "bits BIT(8)": ("b'101'", "5"),
    "u UUID": (
        "'0F8FAD5B-D9CB-469F-A165-70867728950E'",
        "0f8fad5b-d9cb-469f-a165-70867728950e",
    ),
    "y YEAR": ("2018", "2018"),
}


def create(columns: dict[str, tuple[str, object]]) -> tuple[str, str]:
    values = ", ".join(written for written, _ in columns.values())
    return f"CREATE TABLE message ({', '.join(columns)})", f"INSERT INTO message VALUES ({values})"


def expected(columns: dict[str, tuple[str, object]]) -> dict[str, object]:
    return {name.split()[0]: value for name, (_, value) in columns.items()}


@pytest.fixture
def postgresql() -> Iterator[str]:
    with services.database(services.postgresql()) as url:
        yield url


@pytest.fixture
def mariadb() -> Iterator[str]:
    with services.database(services.mariadb()) as url:
        yield url


@pytest.mark.parametrize("adbc", [True, False])
def test_sqlite_values_are_written_as_they_are_stored(tmp_path: Path, adbc: bool) -> None:
    """By the kind each cell really has; reals by the shortest text that reads back."""
    file = sqlite_file(tmp_path / "s.db", *create(SQLITE))
    assert rows(file, adbc=adbc) == [expected(SQLITE)]


@pytest.mark.service
@pytest.mark.parametrize("adbc", [True, False])
def test_postgresql_values_are_the_servers_own_text(postgresql: str, adbc: bool) -> None:
    """Under pinned settings, whatever the session's would have been."""
    run(postgresql, *(text.replace("%", "%%") for text in create(POSTGRESQL)))
    assert rows(postgresql, adbc=adbc) == [expected(POSTGRESQL)]


@pytest.mark.service
def test_mariadb_values_are_the_servers_own_text(mariadb: str) -> None:
    """In UTF-8 and UTC, floats with all their digits."""
    run(mariadb, *(text.replace("%", "%%") for text in create(MARIADB)))
    assert rows(mariadb) == [expected(MARIADB)]


@pytest.mark.service
def test_both_paths_of_postgresql_give_equal_segments(postgresql: str) -> None:
    """Digests, ids and headers do not depend on the driver, for any type as key or order."""
    run(postgresql, *(text.replace("%", "%%") for text in create(POSTGRESQL)))
    names = [name.split()[0] for name in POSTGRESQL]
    for key in names:
        source = flow(key=(key,), columns=(("body", "t"),), headers=tuple(names))
        if key in ("j", "x"):
            continue  # PostgreSQL itself has no order of json and xml
        one, other = (read(postgresql, source, adbc=adbc) for adbc in (True, False))
        assert one.num_rows == 1
        assert one == other


@pytest.mark.service
def test_any_text_in_an_unencoded_postgresql_is_kept() -> None:
    """A SQL_ASCII server promises nothing: what is no UTF-8 is a problem of its row only."""
    server = services.postgresql()
    with services.database(server) as url:
        name = url.rpartition("/")[2].partition("?")[0]
        admin = server.render_as_string(hide_password=False)
        recreate_ascii(admin, name)
        url = sa.make_url(url).update_query_dict({"client_encoding": "utf8"})
        url = url.render_as_string(hide_password=False)
        run(
            url,
            "CREATE TABLE message (id int PRIMARY KEY, body text)",
            "INSERT INTO message VALUES (1, E'caf\\xe9'), (2, 'plain')",
        )
        source = flow(key=("id",), columns=(("body", "body"),))
        for adbc in (True, False):
            table = read(url, source, adbc=adbc)
            assert table.column("body").to_pylist() == [b"caf\xe9", b"plain"]
            assert table.column("problem").to_pylist() == ["record.unreadable", None]


def recreate_ascii(admin: str, name: str) -> None:
    engine = sa.create_engine(admin, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name}")
        connection.exec_driver_sql(
            f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0"
        )


def test_reference_tables_are_all_text(tmp_path: Path) -> None:
    """The result of a query, typed columns as their text, null as null."""
    file = sqlite_file(
        tmp_path / "s.db", "CREATE TABLE message (a, b)", rows=[(1, 1.5), ("x", None)]
    )
    with opened(file) as store:
        found = store.table("SELECT b AS second, a AS first FROM message ORDER BY a -- end")
        assert found.column_names == ["second", "first"]
        assert found.to_pydict() == {"second": ["1.5", None], "first": ["1", "x"]}
        assert store.table("SELECT a FROM message WHERE 1 = 0").to_pydict() == {"a": []}
