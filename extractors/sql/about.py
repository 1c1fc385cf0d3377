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
            "short read-only transactions; by columns where a driver can (ADBC for SQLite and "
            "PostgreSQL, ODBC by `options.odbc` or a `+pyodbc` URL, python-oracledb), all else, or "
            "with `adbc = false`, by rows through SQLAlchemy: equal digests by all"
        ),
        (
            "only what is committed; a range that is cancelled, too slow or cut off is asked for "
            "again, smaller, up to eight times"
        ),
        "rows that share a declared key and rows without one: all quarantined, none lost",
        "a partitioned table of PostgreSQL as one table, its partitions in it",
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
            "whether the account can write, on databases other than SQLite (opened read-only), "
            "PostgreSQL, MariaDB/MySQL, Oracle, SQL Server and Db2"
        ),
        (
            "objects of Oracle (SDO_GEOMETRY and the like; `check` refuses them), the region's "
            "name in its TIMESTAMP WITH TIME ZONE (the offset is kept), LOBs in a table without a "
            "key on Db2, and on Oracle without EXECUTE on DBMS_CRYPTO"
        ),
    ),
    tested="SQLite, PostgreSQL 15 (also a hot standby) and MariaDB 10.11, live, by every path, "
    "ODBC included. Oracle, SQL Server and Db2 were built from manuals alone: their statements are "
    "kept as golden files and parsed, their drivers load, no server was at hand. Others go through "
    "their SQLAlchemy dialects and are untested. See docs/howto/databases.md.",
    options=(
        (
            "odbc",
            (
                "an ODBC connection string, such as `Driver={PostgreSQL Unicode};Servername=db;"
                "Uid=isb;Pwd=${ISB_PWD}`: rows are read by it, names and types by `url`"
            ),
        ),
        ("lock_wait_ms", "SQLite: how long to wait for another program's lock; 5000"),
    ),
)
