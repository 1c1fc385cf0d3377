"""Every type a server offers, with its awkward values: one text, and equal by every path."""

import base64
import json
import math
import sqlite3
import struct
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import services
from tests.extractors.sql_store import by, flow, read, run, sqlite_file

ROW = flow(key=("id",))
Values = dict[str, list[tuple[str, object]]]

POSTGRESQL: Values = {
    "smallint": [("-32768", "-32768"), ("32767", "32767")],
    "integer": [("-2147483648", "-2147483648")],
    "bigint": [("-9223372036854775808", "-9223372036854775808")],
    "oid": [("4294967295", "4294967295")],
    "numeric": [
        ("'NaN'", "NaN"),
        ("'Infinity'", "Infinity"),
        ("'-Infinity'", "-Infinity"),
        ("1.10", "1.10"),
        ("-0.000000000000000000000000000000000001", "-0.000000000000000000000000000000000001"),
        ("1e40", "1" + "0" * 40),
    ],
    "numeric(6, 3)": [("1.1", "1.100"), ("-999.999", "-999.999")],
    "real": [("'NaN'", "NaN"), ("'-Infinity'", "-Infinity"), ("1e-45", "1e-45"), ("'-0'", "-0")],
    "double precision": [
        ("'Infinity'", "Infinity"),
        ("5e-324", "5e-324"),
        ("1.7976931348623157e308", "1.7976931348623157e+308"),
        ("'-0'", "-0"),
    ],
    "money": [("'1234567.89'", "$1,234,567.89"), ("'-0.01'", "-$0.01")],
    "boolean": [("true", "true"), ("false", "false")],
    "text": [("''", ""), ("' a '", " a "), ("E'\\t\\r\\n\\\\'", "\t\r\n\\"), ("'☃𝄞'", "☃𝄞")],
    "varchar(5)": [("'ab   '", "ab   ")],
    "char(5)": [("'ab'", "ab"), ("''", "")],
    '"char"': [("'x'", "x")],
    "name": [("'message'", "message")],
    "bytea": [("''", b""), ("'\\x00ff27'", b"\x00\xff\x27")],
    "date": [
        ("'infinity'", "infinity"),
        ("'-infinity'", "-infinity"),
        ("'0044-03-15 BC'", "0044-03-15 BC"),
        ("'5874897-12-31'", "5874897-12-31"),
    ],
    "time": [("'24:00:00'", "24:00:00"), ("'01:30:00.000001'", "01:30:00.000001")],
    "time with time zone": [("'01:30:00+05:30'", "01:30:00+05:30")],
    "timestamp": [
        ("'infinity'", "infinity"),
        ("'4713-01-01 00:00:00 BC'", "4713-01-01 00:00:00 BC"),
        ("'294276-12-31 23:59:59.999999'", "294276-12-31 23:59:59.999999"),
    ],
    "timestamp(0)": [("'2018-03-25 01:30:00'", "2018-03-25 01:30:00")],
    "timestamp with time zone": [
        ("'2018-03-25 01:30:00 Europe/London'", "2018-03-25 01:30:00+00"),
        ("'2018-10-28 01:30:00+01'", "2018-10-28 00:30:00+00"),
        ("'-infinity'", "-infinity"),
    ],
    "interval": [
        ("'1 year 2 mons 3 days 04:05:06.000007'", "1 year 2 mons 3 days 04:05:06.000007"),
        ("'-1 day +02:03'", "-1 days +02:03:00"),
        ("'0'", "00:00:00"),
    ],
    "uuid": [
        (
            "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'",
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        )
    ],
    "json": [('\'{"a":  1.10, "a": 2}\'', '{"a":  1.10, "a": 2}')],
    "jsonb": [('\'{"b": 1.10, "a": null}\'', '{"a": null, "b": 1.10}')],
    "xml": [("'<a b=\"1\">ä</a>'", '<a b="1">ä</a>')],
    "integer[]": [("'{1,NULL,3}'", "{1,NULL,3}"), ("'{}'", "{}"), ("'[0:1]={1,2}'", "[0:1]={1,2}")],
    "text[]": [("ARRAY['a,b', '', 'NULL', 'q\"']", '{"a,b","","NULL","q\\""}')],
    "numeric[]": [("ARRAY[1.10, 'NaN'::numeric]", "{1.10,NaN}")],
    "int4range": [("'[1,10]'", "[1,11)"), ("'empty'", "empty")],
    "tstzrange": [
        (
            "'[2018-03-25 01:00+01, infinity)'",
            '["2018-03-25 00:00:00+00",infinity)',
        )
    ],
    "int4multirange": [("'{[1,2], [5,7)}'", "{[1,3),[5,7)}")],
    "inet": [("'192.168.0.1/24'", "192.168.0.1/24"), ("'::1'", "::1/128")],
    "cidr": [("'10.0.0.0/8'", "10.0.0.0/8")],
    "macaddr": [("'08:00:2B:01:02:03'", "08:00:2b:01:02:03")],
    "macaddr8": [("'08:00:2b:01:02:03:04:05'", "08:00:2b:01:02:03:04:05")],
    "bit(5)": [("B'00101'", "00101")],
    "bit varying(9)": [("B''", ""), ("B'1'", "1")],
    "tsvector": [("'fat:2 cat:3B'", "'cat':3B 'fat':2")],
    "tsquery": [("'fat & !cat'", "'fat' & !'cat'")],
    "point": [("'(1,0.1)'", "(1,0.1)")],
    "line": [("'{1,2,3}'", "{1,2,3}")],
    "lseg": [("'[(0,0),(1,1)]'", "[(0,0),(1,1)]")],
    "box": [("'(1,1),(0,0)'", "(1,1),(0,0)")],
    "path": [("'((0,0),(1,1))'", "((0,0),(1,1))")],
    "polygon": [("'((0,0),(1,0),(1,1))'", "((0,0),(1,0),(1,1))")],
    "circle": [("'<(0,0),2>'", "<(0,0),2>")],
    "pg_lsn": [("'16/B374D848'", "16/B374D848")],
    "lane": [("'express'", "express")],
    "address": [("ROW('High St, 1', 7)", '("High St, 1",7)'), ("ROW(NULL, NULL)", "(,)")],
    "address[]": [("ARRAY[ROW('a', 1)::address]", '{"(a,1)"}')],
    "uprn": [("'000123'", "000123")],
    "hstore": [("'a=>1, b=>NULL'", '"a"=>"1", "b"=>NULL')],
    "citext": [("'MiXed'", "MiXed")],
}
POSTGRESQL_TYPES = [
    "CREATE TYPE lane AS ENUM ('bulk', 'express')",
    "CREATE TYPE address AS (street text, number int)",
    "CREATE DOMAIN uprn AS varchar(12) CHECK (VALUE ~ '^[0-9]+$')",
    "CREATE EXTENSION hstore",
    "CREATE EXTENSION citext",
]
MARIADB: Values = {
    "TINYINT": [("-128", "-128")],
    "TINYINT UNSIGNED": [("255", "255")],
    "SMALLINT UNSIGNED": [("65535", "65535")],
    "MEDIUMINT UNSIGNED": [("16777215", "16777215")],
    "INT UNSIGNED": [("4294967295", "4294967295")],
    "BIGINT": [("-9223372036854775808", "-9223372036854775808")],
    "BIGINT UNSIGNED": [("18446744073709551615", "18446744073709551615")],
    "INT(6) ZEROFILL": [("42", "000042")],
    "DECIMAL(65, 30)": [
        (
            "12345678901234567890123456789012345.123456789012345678901234567890",
            "12345678901234567890123456789012345.123456789012345678901234567890",
        ),
        ("-0.1", "-0.100000000000000000000000000000"),
    ],
    "DECIMAL(10, 2) UNSIGNED": [("1.1", "1.10")],
    "FLOAT": [("16777216", "16777216"), ("0.1", "0.10000000149011612")],
    "DOUBLE": [("1.7976931348623157e308", "1.7976931348623157e308"), ("0.1e0", "0.1")],
    "BIT(1)": [("b'1'", "1"), ("b'0'", "0")],
    "BIT(64)": [("0xFFFFFFFFFFFFFFFF", "18446744073709551615")],
    "BOOLEAN": [("FALSE", "0")],
    "DATE": [("'0000-00-00'", "0000-00-00"), ("'9999-12-31'", "9999-12-31")],
    "DATETIME(6)": [
        ("'0000-00-00 00:00:00'", "0000-00-00 00:00:00.000000"),
        ("'2018-03-25 01:30:00.123456'", "2018-03-25 01:30:00.123456"),
    ],
    "TIMESTAMP(6) NULL": [("'2018-10-28 01:30:00.5'", "2018-10-28 01:30:00.500000")],
    "TIME(6)": [("'838:59:59.999999'", "838:59:59.999999"), ("'-838:00:00'", "-838:00:00.000000")],
    "YEAR": [("0", "0000"), ("2155", "2155")],
    "CHAR(5)": [("'ab'", "ab"), ("'ab   '", "ab")],
    "VARCHAR(9)": [("'ab   '", "ab   "), ("''", "")],
    "VARCHAR(9) CHARACTER SET latin1": [("'naïve€'", "naïve€")],
    "VARCHAR(9) CHARACTER SET ucs2": [("'☃'", "☃")],
    "TINYTEXT": [("''", "")],
    "MEDIUMTEXT": [("'☃𝄞'", "☃𝄞")],
    "LONGTEXT": [("REPEAT('é', 70000)", "é" * 70000)],
    "ENUM('b', 'a', '')": [("'a'", "a"), ("''", "")],
    "SET('x', 'y')": [("'y,x'", "x,y"), ("''", "")],
    "JSON": [("'{\"a\":  1.10}'", '{"a":  1.10}')],
    "BINARY(4)": [("x'00ff'", b"\x00\xff\x00\x00")],
    "VARBINARY(9)": [("x''", b""), ("x'00ff'", b"\x00\xff")],
    "TINYBLOB": [("x''", b"")],
    "BLOB": [("x'00'", b"\x00")],
    "MEDIUMBLOB": [("REPEAT(x'00', 70000)", b"\x00" * 70000)],
    "LONGBLOB": [("x'ff'", b"\xff")],
    "INET6": [("'2001:DB8::1'", "2001:db8::1")],
    "INET4": [("'192.168.0.1'", "192.168.0.1")],
    "UUID": [
        (
            "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'",
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        )
    ],
    "POINT": [
        ("ST_GeomFromText('POINT(1 2)')", struct.pack("<IBIdd", 0, 1, 1, 1.0, 2.0)),
    ],
}
PATHS = {"postgresql": ("arrow", "rows", "odbc"), "mariadb": ("rows", "odbc")}


def fill(url: str, values: Values) -> list[dict[str, object]]:
    """A table with a column a type and as many rows as the longest list; what it holds."""
    names = [f"c{n}" for n in range(len(values))]
    columns = ", ".join(f"{name} {kind}" for name, kind in zip(names, values, strict=True))
    longest = max(len(found) for found in values.values())
    run(url, f"CREATE TABLE message (id INTEGER PRIMARY KEY, {columns})")
    expected = []
    for row in range(longest + 1):  # the last one of nulls
        held = [found[row] if row < len(found) else ("NULL", None) for found in values.values()]
        written = ", ".join(text for text, _ in held)
        run(url, f"INSERT INTO message VALUES ({row}, {written})".replace("%", "%%"))
        expected.append({"id": str(row), **dict(zip(names, map(shown, held), strict=True))})
    return expected


def shown(held: tuple[str, object]) -> object:
    """A value as the JSON of a row shows it."""
    value = held[1]
    if isinstance(value, bytes):
        return {"$base64": base64.b64encode(value).decode()}
    return value


def every_path(server: str, url: str, source: Any = ROW) -> pa.Table:
    """What one path reads, and every other reads the same."""
    first, *others = (read(url, source, batch_rows=3, **by(way, url)) for way in PATHS[server])
    assert all(other == first for other in others)
    return first


@pytest.mark.service
def test_every_type_of_postgresql() -> None:
    """The server's own text under pinned settings; null is not empty."""
    with services.database(services.postgresql()) as url:
        run(url, *POSTGRESQL_TYPES)
        expected = fill(url, POSTGRESQL)
        found = every_path("postgresql", url)
    for row, wanted in zip(found.column("body").to_pylist(), expected, strict=True):
        assert json.loads(row) == wanted


@pytest.mark.service
def test_every_type_of_mariadb() -> None:
    """Zero dates, times beyond a day, numbers of 65 digits, bits and enums as they are."""
    with services.database(services.mariadb()) as url:
        expected = fill(url, MARIADB)
        found = every_path("mariadb", url)
    for row, wanted in zip(found.column("body").to_pylist(), expected, strict=True):
        assert json.loads(row) == wanted


@pytest.mark.service
def test_postgresql_settings_of_an_account_change_nothing() -> None:
    """Whatever the role's own settings are, values are written one way."""
    with services.database(services.postgresql()) as url:
        run(
            url,
            (
                "CREATE TABLE message (id int PRIMARY KEY, t timestamptz, i interval, f float8,"
                " m money, b bytea)"
            ),
            (
                "INSERT INTO message VALUES"
                " (1, '2018-07-01 12:00+01', '1 day', 0.1::float8 + 0.2, 5, '\\x00')"
            ),
        )
        before = every_path("postgresql", url)
        name = sa.make_url(url).database
        for setting in (
            "DateStyle = 'German'",
            "TimeZone = 'Asia/Tokyo'",
            "IntervalStyle = 'iso_8601'",
            "extra_float_digits = -5",
            "bytea_output = 'escape'",
            "lc_monetary = 'C.UTF-8'",
            "client_encoding = 'LATIN1'",
            "default_transaction_isolation = 'read committed'",
        ):
            run(url, f"ALTER DATABASE {name} SET {setting}")
        assert every_path("postgresql", url) == before


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
DECIMALS = st.decimals(-(10**18), 10**18, places=9)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
RECORDS = st.lists(
    st.tuples(
        st.one_of(st.none(), TEXTS),
        st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
        st.one_of(st.none(), DECIMALS),
        st.one_of(st.none(), FLOATS),
        st.one_of(st.none(), st.datetimes()),
        st.one_of(st.none(), st.binary(max_size=40)),
    ),
    min_size=1,
    max_size=8,
)
TABLES = {
    "postgresql": "t text, n bigint, d numeric, f double precision, ts timestamp, b bytea",
    "mariadb": "t LONGTEXT COLLATE utf8mb4_bin, n BIGINT, d DECIMAL(40, 9), f DOUBLE,"
    " ts DATETIME(6), b LONGBLOB",
}


@pytest.fixture(scope="module", params=["postgresql", "mariadb"])
def generated(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """A server's name and the URL of a database with a table of many types."""
    server = services.postgresql() if request.param == "postgresql" else services.mariadb()
    with services.database(server) as url:
        run(url, f"CREATE TABLE message (id INTEGER PRIMARY KEY, {TABLES[request.param]})")
        yield request.param, url


@pytest.mark.service
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(records=RECORDS)
def test_any_values_are_read_alike_by_every_path(
    generated: tuple[str, str], records: Sequence[tuple[Any, ...]]
) -> None:
    """And are what was written: no digit, byte or microsecond is lost, null is not empty."""
    server, url = generated
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM message")
        marks = ", ".join(["%s"] * 7)
        for number, record in enumerate(records):
            insert = f"INSERT INTO message VALUES ({marks})"
            connection.exec_driver_sql(insert, (number, *record))
    found = [json.loads(body) for body in every_path(server, url).column("body").to_pylist()]
    for row, (text, integer, decimal, real, moment, data) in zip(found, records, strict=True):
        assert row["t"] == text
        assert row["n"] == (None if integer is None else str(integer))
        assert (None if row["d"] is None else Decimal(row["d"])) == decimal
        assert (None if row["f"] is None else float(row["f"])) == real
        assert (None if row["ts"] is None else datetime.fromisoformat(row["ts"])) == moment
        assert row["b"] == shown(("", data))
    everything = flow(columns=(("body", "b"),), order_by=("t",))
    every_path(server, url, everything)


CELLS = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(codec="utf-8"), max_size=10),
    st.binary(max_size=10),
)


@settings(max_examples=60, deadline=None)
@given(
    records=st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS), min_size=1, max_size=8),
    declared=st.tuples(
        *[st.sampled_from(["", "INTEGER", "TEXT", "REAL", "NUMERIC", "BLOB", "DATETIME"])] * 4
    ),
)
def test_any_value_in_any_column_of_sqlite(
    records: list[tuple[object, ...]], declared: tuple[str, ...]
) -> None:
    """By ADBC and by SQLAlchemy alike, as SQLite itself says it holds it."""
    columns = ", ".join(f"c{n} {kind}" for n, kind in enumerate(declared))
    with tempfile.TemporaryDirectory() as folder:
        file = sqlite_file(
            Path(folder) / "any.db", f"CREATE TABLE message ({columns})", rows=records
        )
        one, other = (read(file, flow(order_by=()), adbc=adbc, batch_rows=2) for adbc in (1, 0))
        assert one == other
        with closing(sqlite3.connect(file)) as database:
            held = database.execute("SELECT * FROM message").fetchall()
    found = [json.loads(body) for body in one.column("body").to_pylist()]
    wanted = [{f"c{n}": cell(value) for n, value in enumerate(row)} for row in held]
    assert sorted(map(json.dumps, found)) == sorted(map(json.dumps, wanted))


def cell(value: Any) -> object:
    """A value that SQLite gives, as the JSON of a row shows it."""
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else str(value)
    return str(value) if isinstance(value, int) else shown(("", value))
