"""The ledger's tables: what this tool did, for itself to go on from. The witness never reads it."""

import sqlalchemy as sa

SCHEMA_VERSION = 1

METADATA = sa.MetaData()

META = sa.Table(
    "meta",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

RUNS = sa.Table(
    "runs",
    METADATA,
    sa.Column("run_id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("plan_digest", sa.Text, nullable=False),
    sa.Column("as_of", sa.Text, nullable=False),
    sa.Column("started", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
)

FLOWS = sa.Table(
    "flows",
    METADATA,
    sa.Column("flow", sa.Text, primary_key=True),
    sa.Column("place", sa.Integer, nullable=False),  # order in the plan
    sa.Column("extracted", sa.Boolean, nullable=False),
    sa.Column("checkpoint", sa.Text),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("batches", sa.Integer, nullable=False),
)

BATCHES = sa.Table(
    "batches",
    METADATA,
    sa.Column("flow", sa.Text, primary_key=True),
    sa.Column("batch", sa.Integer, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("first_position", sa.BigInteger, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("legacy_path", sa.Text, nullable=False),
    sa.Column("legacy_sha256", sa.Text, nullable=False),
    sa.Column("messages_path", sa.Text),
    sa.Column("messages_sha256", sa.Text),
    sa.Column("quarantine_path", sa.Text),
    sa.Column("quarantine_sha256", sa.Text),
    sa.Column("receipts_path", sa.Text),
    sa.Column("receipts_sha256", sa.Text),
    sa.Column("counts", sa.JSON, nullable=False),
    sa.Column("changed", sa.Text, nullable=False),
)

TIMINGS = sa.Table(
    "timings",
    METADATA,
    sa.Column("stage", sa.Text, primary_key=True),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("messages", sa.BigInteger, nullable=False),
)
