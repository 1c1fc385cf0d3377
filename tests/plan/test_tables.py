"""Reference tables: every column text, every row kept."""

import csv
import io
import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.core.errors import PlanError
from migrate.plan.load import load_plan
from migrate.plan.problem import PlanProblems
from migrate.plan.tables import read_file, read_tables, try_tables

ESTATE = Path(__file__).parent / "cases" / "good" / "estate"
TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=12)


@given(rows=st.lists(st.tuples(TEXT, TEXT, TEXT), max_size=8))
def test_a_csv_file_is_read_as_it_is_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]]
) -> None:
    """Leading zeros, blanks, NULL, quotes, line ends and duplicates survive; empty is not null."""
    path = tmp_path_factory.getbasetemp() / "codes.csv"
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([("code", "label", "note"), *rows])
    path.write_text(out.getvalue(), encoding="utf-8", newline="")
    table = read_file(path)
    assert table.schema == pa.schema([(name, pa.string()) for name in ("code", "label", "note")])
    assert [tuple(row.values()) for row in table.to_pylist()] == rows


def test_codes_stay_texts(tmp_path: Path) -> None:
    """A byte order mark, CRLF, numbers, dates and NULL are nothing special."""
    path = tmp_path / "codes.csv"
    path.write_bytes(b"\xef\xbb\xbfcode,when\r\n007,2018-04-01\r\nNULL,\r\ntrue,1e5\r\n")
    assert read_file(path).to_pylist() == [
        {"code": "007", "when": "2018-04-01"},
        {"code": "NULL", "when": ""},
        {"code": "true", "when": "1e5"},
    ]


def test_a_header_alone_is_an_empty_table(tmp_path: Path) -> None:
    """Columns are there to be joined."""
    (tmp_path / "codes.csv").write_text("code,label\n")
    table = read_file(tmp_path / "codes.csv")
    assert (table.num_rows, table.column_names) == (0, ["code", "label"])


def test_parquet_columns_become_text(tmp_path: Path) -> None:
    """Numbers, dates and decimals as they are written; null stays null."""
    table = pa.table(
        {
            "uprn": pa.array([10001234567, None]),
            "since": pa.array([date(2018, 4, 1), None]),
            "rate": pa.array([Decimal("1.10"), None]),
            "live": pa.array([True, None]),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    assert read_file(tmp_path / "t.parquet").to_pylist() == [
        {"uprn": "10001234567", "since": "2018-04-01", "rate": "1.10", "live": "true"},
        {"uprn": None, "since": None, "rate": None, "live": None},
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "no header record"),
        ("a.csv", b"code,label\n1,secret-name,3\n", "cannot be read as CSV"),
        ("a.csv", b"code,Code\n1,2\n", 'two columns "code"'),
        ("a.csv", b"code,\n1,2\n", "column without a name"),
        ("a.csv", "code\ncafé\n".encode("latin-1"), "is not UTF-8"),
        ("a.parquet", b"no parquet, secret-name", "cannot be read as PARQUET"),
    ],
)
def test_a_bad_file_is_named_and_not_quoted(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    """Drivers quote the row; this does not."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(PlanError, match=message) as caught:
        read_file(tmp_path / name)
    assert "secret" not in f"{caught.value}{caught.value.hint}"


@pytest.mark.parametrize(
    "column", [pa.array([[1]]), pa.array([b"x"]), pa.array([b"x"], pa.large_binary())]
)
def test_columns_without_a_text_are_refused(tmp_path: Path, column: pa.Array) -> None:
    """Lists and bytes."""
    pq.write_table(pa.table({"c": column}), tmp_path / "t.parquet")
    with pytest.raises(PlanError, match="has no text"):
        read_file(tmp_path / "t.parquet")


def test_every_table_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """Together, by its key in the plan; the others are read all the same."""
    shutil.copytree(ESTATE, tmp_path, dirs_exist_ok=True)
    text = (tmp_path / "plan.toml").read_text()
    text = text.replace('{ store = "isb", query = "SELECT code, label FROM isb_code" }', '"b.csv"')
    (tmp_path / "plan.toml").write_text(text.replace("offences", 'bad = "a.csv", offences'))
    (tmp_path / "a.csv").write_bytes(b"")
    (tmp_path / "b.csv").write_bytes(b"x,x\n")
    plan = load_plan(tmp_path, environ={"ISB_URL": "sqlite:///isb.db"})
    tables, problems = try_tables(plan)
    assert list(tables) == ["codes", "beats"]
    assert tables["codes"].num_rows == 3
    assert [problem.where for problem in problems] == ["tables.bad", "tables.offences"]
    with pytest.raises(PlanProblems):
        read_tables(plan)
