"""Lay out real stop and search files as a legacy estate.

    python prepare.py FOLDER_OF_CSV ESTATE

ESTATE gets `legacy.db` with all records in one table that has no key, `spool/`
with the files as they are, and this example's plan. The files are those of
data.police.uk, `<month>-<force>-stop-and-search.csv`, in FOLDER_OF_CSV or below.
"""

import csv
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
COLUMNS = (
    "Type",
    "Date",
    "Part of a policing operation",
    "Policing operation",
    "Latitude",
    "Longitude",
    "Gender",
    "Age range",
    "Self-defined ethnicity",
    "Officer-defined ethnicity",
    "Legislation",
    "Object of search",
    "Outcome",
    "Outcome linked to object of search",
    "Removal of more than just outer clothing",
)


def prepare(source: Path, estate: Path) -> int:
    """Write the estate; returns how many records the table holds.

    Raises ValueError for a file with other columns and for a record with more
    or fewer fields than there are columns.
    """
    files = sorted(source.rglob("*.csv"))
    (estate / "spool").mkdir(parents=True)
    for path in files:
        name = "-".join(path.relative_to(source).parts)
        shutil.copyfile(path, estate / "spool" / name)
    for name in ("plan.toml", "maps", "schemas"):
        copy = shutil.copytree if (HERE / name).is_dir() else shutil.copyfile
        copy(HERE / name, estate / name)
    return fill_table(estate / "legacy.db", files)


def fill_table(database: Path, files: list[Path]) -> int:
    """Insert the records of all files, in order, without a key and without a conversion."""
    columns = ", ".join(f'"{name}" TEXT' for name in COLUMNS)
    marks = ", ".join("?" * len(COLUMNS))
    connection = sqlite3.connect(database)
    with connection:
        connection.execute(f"CREATE TABLE stop_search ({columns})")
        for path in files:
            connection.executemany(f"INSERT INTO stop_search VALUES ({marks})", records(path))
    [(count,)] = connection.execute("SELECT count(*) FROM stop_search")
    connection.close()
    return int(count)


def records(path: Path) -> Iterator[tuple[str, ...]]:
    """The records of a file in the order of COLUMNS, whatever order the file has them in."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.reader(lines)
        header = next(reader, [])
        if header and sorted(header) != sorted(COLUMNS):
            raise ValueError(f"{path.name} is no stop and search file: other columns")
        order = [header.index(name) for name in COLUMNS] if header else []
        for row in filter(None, reader):
            if len(row) != len(COLUMNS):
                raise ValueError(f"{path.name}, line {reader.line_num}: not {len(COLUMNS)} fields")
            yield tuple(row[place] for place in order)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python prepare.py FOLDER_OF_CSV ESTATE")
    total = prepare(Path(sys.argv[1]), Path(sys.argv[2]))
    sys.stderr.write(f"{total:,} records; now: isb-migrate rehearse {sys.argv[2]}/plan.toml\n")
