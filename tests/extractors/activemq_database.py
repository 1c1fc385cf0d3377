"""ACTIVEMQ_MSGS and ACTIVEMQ_ACKS in any database, as the broker makes them, for the tests."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from extractors.activemq.jdbc import JdbcStore
from migrate.core.flow import SourceSpec, StoreSpec
from migrate.core.schema import LEGACY
from tests.extractors import activemq_encoder as wire

NEWER = ("priority", "xid")
"""Columns that old databases lack."""


def make(
    url: str,
    rows: Iterable[dict[str, Any]],
    acks: Iterable[dict[str, Any]] = (),
    *,
    prefix: str = "",
    old: bool = False,
) -> None:
    """Both tables with these rows; `old`: of a broker before priorities and transactions."""
    metadata = sa.MetaData()
    text = sa.String(250)
    msgs = sa.Table(
        f"{prefix}ACTIVEMQ_MSGS",
        metadata,
        sa.Column("ID", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("CONTAINER", text, nullable=False),
        sa.Column("MSGID_PROD", text),
        sa.Column("MSGID_SEQ", sa.BigInteger),
        sa.Column("EXPIRATION", sa.BigInteger),
        sa.Column("MSG", sa.LargeBinary(2**24)),
        *([] if old else [sa.Column("PRIORITY", sa.BigInteger), sa.Column("XID", text)]),
    )
    owners = sa.Table(
        f"{prefix}ACTIVEMQ_ACKS",
        metadata,
        *(sa.Column(n, text) for n in ("CONTAINER", "SUB_DEST", "CLIENT_ID", "SUB_NAME")),
        sa.Column("SELECTOR", text),
        sa.Column("LAST_ACKED_ID", sa.BigInteger),
        *([] if old else [sa.Column("PRIORITY", sa.BigInteger), sa.Column("XID", text)]),
    )
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    metadata.create_all(engine)
    with engine.begin() as connection:
        for table, found in ((msgs, rows), (owners, acks)):
            for each in found:
                known = {name: each[name] for name in each if name in table.columns}
                connection.execute(table.insert(), known)


def row(number: int, message: wire.Message, **other: Any) -> dict[str, Any]:
    """A row of ACTIVEMQ_MSGS."""
    return {
        "ID": number,
        "CONTAINER": message.destination,
        "MSGID_PROD": message.producer,
        "MSGID_SEQ": message.number,
        "EXPIRATION": message.expiration,
        "MSG": wire.frame(message),
        "PRIORITY": 0,
        "XID": None,
        **other,
    }


def ack(topic: str, name: str, last: int | None, priority: int = 0, **other: Any) -> dict[str, Any]:
    """A row of ACTIVEMQ_ACKS."""
    return {
        "CONTAINER": topic,
        "SUB_DEST": topic,
        "CLIENT_ID": "client",
        "SUB_NAME": name,
        "LAST_ACKED_ID": last,
        "PRIORITY": priority,
        **other,
    }


def store(url: str, **spec: Any) -> JdbcStore:
    """A store on a database."""
    return JdbcStore(replace(StoreSpec("store", "activemq-jdbc", url), **spec))


def source(from_: str = "*", **more: Any) -> SourceSpec:
    """A source of it."""
    return SourceSpec("flow", "store", from_, **more)


def read(found: JdbcStore, of: SourceSpec, **asked: Any) -> list[dict[str, Any]]:
    """All records of a source."""
    chunks = [chunk.table for chunk in found.read(of, **asked)]
    rows: list[dict[str, Any]] = pa.concat_tables(chunks or [LEGACY.empty_table()]).to_pylist()
    return rows


def headers(record: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
    """By name: type and value."""
    return {each["name"]: (each["type"], each["value"]) for each in record["headers"]}
