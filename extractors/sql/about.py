"""What the SQL store says of itself."""

from migrate.core.ports import About

ABOUT = About(
    what="Tables and views of a database, over any SQLAlchemy URL.",
    url="a SQLAlchemy URL, such as `sqlite:///${PLAN_DIR}/isb.db` or `postgresql://isb@db/isb`",
    from_="a table or view; `where` narrows it",
    identity="the declared `key` (several columns as a JSON array); without one, a digest of all "
    "columns and an occurrence number",
    sees=(
        (
            "every row of the population in the order of `order_by` and the key, read in ranges of "
            "short read-only transactions; SQLite and PostgreSQL through ADBC, all else, or with "
            "`adbc = false`, through SQLAlchemy: equal digests by both"
        ),
        "rows that share a declared key and rows without one: all quarantined, none lost",
        "acknowledged endpoints by the `delivered` query, joined with the rows of each range",
        (
            "text, numbers, times, JSON and UUIDs as the database writes them; binary columns as "
            "they are; a table without a body column as one JSON object a row"
        ),
    ),
    cannot_see=(
        "columns that the plan does not name, where there is a body column",
        "rows that come and go between two readings",
        (
            "whether the account can write, on databases other than PostgreSQL and MariaDB/MySQL "
            "(SQLite files are opened read-only)"
        ),
    ),
    tested="SQLite, PostgreSQL 15 and MariaDB 10.11, live. Others go through their SQLAlchemy "
    "dialects and are untested; SQL Server and Oracle are known to need more than that.",
)
