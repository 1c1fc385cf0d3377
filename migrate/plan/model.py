"""The plan file as a strict model. Descriptions and examples here are the reference."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from migrate.plan.flow_model import FlowModel
from migrate.plan.legacy_model import LegacyModel
from migrate.plan.section import Section
from migrate.plan.table_model import TableModel
from migrate.plan.words import (
    WEEKDAYS,
    Label,
    Name,
    Namespace,
    Option,
    RampName,
    Size,
    TableName,
    Text,
    TimeOfDay,
    Weekday,
    Zone,
    short_for,
)


class HeadModel(Section):
    """`[plan]`: what every message of every flow carries."""

    name: Name = Field(description="Name of the plan.", examples=["isb"])
    namespace: Namespace = Field(
        description="Root of message ids, types and sources. Changing it makes every message a "
        "new one.",
        examples=["met.isb"],
    )
    environment: Label = Field(
        description="Where this runs; carried by every message.", examples=["rehearsal"]
    )
    marking: Label = Field(
        description="Protective marking; carried by every message and report.",
        examples=["OFFICIAL-SENSITIVE"],
    )
    timezone: Zone | None = Field(
        default=None,
        description="Time zone of times that the plan calls `local`; default: UTC, and nothing "
        "may then be called `local`.",
        examples=["Europe/London"],
    )


class StoreLimitsModel(Section):
    """How hard a store may be worked, and how large a batch becomes."""

    sessions: int = Field(default=2, ge=1, description="Connections at one time.", examples=[1])
    rows_per_s: int | None = Field(
        default=None, ge=1, description="Rows read a second; default: no limit.", examples=[20000]
    )
    statement_timeout_s: int | None = Field(
        default=None,
        ge=1,
        description="Seconds a statement may take; default: no limit.",
        examples=[60],
    )
    batch_rows: int = Field(
        default=10_000, ge=1, description="Most rows of a batch.", examples=[5000]
    )
    batch_bytes: int = Field(
        default=32 * 1024 * 1024, ge=1, description="Most bytes of a batch.", examples=[8388608]
    )


class StoreModel(Section):
    """`[store.NAME]`: a legacy store, read only."""

    kind: Text = Field(description="A registered kind of store; see stores.md.", examples=["sql"])
    url: Text = Field(
        description="`sql`: a SQLAlchemy URL. `files`: the root folder. Secrets only as "
        "`${NAME}`, `${file:PATH}` or `file:PATH`. Relative paths start at the plan's folder.",
        examples=["${ISB_URL}", "${PLAN_DIR}/spool"],
    )
    schema_: Text | None = Field(
        default=None, alias="schema", description="`sql`: the database schema.", examples=["isb"]
    )
    allow_writes: bool = Field(
        default=False,
        description="Go on although the account could change the store.",
        examples=[True],
    )
    adbc: bool = Field(
        default=True,
        description="`sql`: read by columns (ADBC, ODBC, python-oracledb) where there is a driver.",
        examples=[False],
    )
    limits: StoreLimitsModel = Field(
        default=StoreLimitsModel(),
        description="How hard the store may be worked.",
        examples=[{"sessions": 2, "rows_per_s": 20000, "statement_timeout_s": 60}],
    )
    out_of_scope: dict[str, Text] = Field(
        default={},
        description="Tables or files (globs allowed) that no flow takes, each with the reason.",
        examples=[{"isb_audit": "retained by Records Management, RRD-12"}],
    )
    options: dict[str, Option] = Field(
        default={},
        description="Further settings of the kind of store.",
        examples=[{"pool": "small"}],
    )


class ClaimsModel(Section):
    """Bodies above a size lie in a claim store, and deliveries refer to them (claim check)."""

    kind: Text = Field(
        default="folder",
        description="`folder`, such as a shared file system, or `sql`, a table `claim`.",
        examples=["sql"],
    )
    url: Text = Field(
        description="`folder`: its path or file URL. `sql`: a SQLAlchemy URL, the outbox's own or "
        "another. Secrets as for a store. Only a real run needs its variables.",
        examples=["file:///srv/metip/claims", "${CLAIMS_URL}"],
    )
    above: Size = Field(
        ge=1024,
        description="The largest body that still travels on the bus, in bytes; at least 1 KiB.",
        examples=["1 MiB"],
    )
    base: Text | None = Field(
        default=None,
        description="What stands before a claim's name in `ce_dataref`, such as an address at "
        'which receivers fetch it; default: `"urn:isb-migrate:claim:"`.',
        examples=["https://claims.metip.example/"],
    )


class BusModel(Section):
    """`[bus.NAME]`: the new bus, exactly one. Rehearsals use an embedded one in its place."""

    kind: Text = Field(description="A registered kind, such as `sql`.", examples=["sql"])
    url: Text = Field(
        description="Its URL; secrets as for a store. Only a real run needs its variables.",
        examples=["${METIP_URL}"],
    )
    options: dict[str, Option] = Field(
        default={}, description="Further settings of the kind of bus.", examples=[{"heartbeat": 30}]
    )
    claims: ClaimsModel | None = Field(
        default=None,
        description="Where bodies too large for the bus are kept; default: they travel on it.",
        examples=[{"url": "file:///srv/metip/claims", "above": "1 MiB"}],
    )


class RateModel(Section):
    """How fast an off-ramp may be fed: in messages, in bytes, or both. Nothing is sent in bursts
    of more than a quarter of a second's worth, but for a single larger message."""

    messages_per_s: float | None = Field(
        default=None, gt=0, description="Messages a second.", examples=[200]
    )
    bytes_per_s: Size | None = Field(
        default=None, gt=0, description="Bytes of bodies a second.", examples=["2 MiB"]
    )


class BacklogModel(Section):
    """How much may wait for an off-ramp's receivers; for buses that can tell, see buses.md."""

    pause_above: int = Field(
        ge=1,
        description="The off-ramp is paused while more messages than this wait on the bus for "
        "its receivers, whoever published them.",
        examples=[10000],
    )
    resume_below: int | None = Field(
        default=None,
        ge=1,
        description="It is fed again once fewer than this wait; default: half of `pause_above`.",
        examples=[2000],
    )
    consumers: list[Annotated[str, Field(min_length=1)]] = Field(
        default=[],
        description="What the receivers are called on the bus: Kafka's consumer groups, "
        "JetStream's durable consumers, the names under which readers of RabbitMQ streams store "
        "their offsets. The slowest one counts. See buses.md.",
        examples=[["nfd-live"]],
    )


class BlackoutModel(Section):
    """Hours in which nothing is published to an off-ramp, in the plan's `timezone`."""

    from_: TimeOfDay = Field(
        alias="from", description="When it begins, local time.", examples=["08:00"]
    )
    to: TimeOfDay = Field(
        description="When it ends; at or before `from`: on the next day.", examples=["18:00"]
    )
    days: list[Weekday] = Field(
        default=list(WEEKDAYS),
        min_length=1,
        description="Days on which it begins.",
        examples=[["mon", "tue", "wed", "thu", "fri"]],
    )


class OffRampModel(Section):
    """`[offramp.NAME]`: a destination on the bus. Every route's target is declared; the
    destination `archive` always exists."""

    duplicates: Literal["unsafe", "message_id"] = Field(
        default="unsafe",
        description="What the receiver does with a repeated message: `message_id` drops it by its "
        "id, so an interrupted load may send again; `unsafe` leaves doubt to a named decision.",
        examples=["message_id"],
    )
    exclusive: bool = Field(
        default=True,
        description="Whether nobody else writes here: then a stranger's message is a finding.",
        examples=[False],
    )
    observe: Literal["direct", "tap", "counts"] = Field(
        default="direct",
        description="How the witness sees it: reads it (`direct`), reads a copy (`tap`), or sees "
        "only numbers (`counts`).",
        examples=["tap"],
    )
    rate: RateModel | None = Field(
        default=None,
        description="How fast it may be fed; default: no limit.",
        examples=[{"messages_per_s": 200}],
    )
    backlog: BacklogModel | None = Field(
        default=None,
        description="How much may wait for its receivers; default: no limit.",
        examples=[{"pause_above": 10000, "resume_below": 2000}],
    )
    blackout: list[BlackoutModel] = Field(
        default=[],
        description="When a real run publishes nothing to it.",
        examples=[[{"from": "08:00", "to": "18:00", "days": ["mon", "fri"]}]],
    )
    expiry: Literal["absolute", "restart", "none"] = Field(
        default="absolute",
        description="Expiry on the new bus: the `absolute` instant of old; `restart`: the time "
        "to live (from `created_at` to `expires_at`) counted anew from the run's `as_of`, and "
        "the instant of old where either is missing; or `none`.",
        examples=["none"],
    )
    mode: Literal["binary", "structured"] = Field(
        default="binary",
        description="CloudEvents content mode: `binary`, attributes in headers beside the body; or "
        "`structured`, each delivery one JSON document (`application/cloudevents+json`).",
        examples=["structured"],
    )
    options: dict[str, Option] = Field(
        default={},
        description="Further settings of an off-ramp on this kind of bus; see buses.md.",
        examples=[{"queue": "stream"}],
    )


class PlanModel(Section):
    """The plan file, whole."""

    plan: HeadModel = Field(description="What every message carries.", examples=[{"name": "isb"}])
    tables: dict[
        TableName,
        Annotated[
            TableModel, BeforeValidator(short_for("path"), json_schema_input_type=str | TableModel)
        ],
    ] = Field(
        default={},
        description="Reference tables, by the name under which mappings join them. All columns "
        "are text.",
        examples=[{"codes": "ref/codes.csv"}],
    )
    store: dict[Name, StoreModel] = Field(
        min_length=1, description="The legacy stores.", examples=[{"isb": {"kind": "sql"}}]
    )
    flow: dict[Name, FlowModel] = Field(
        min_length=1, description="The flows.", examples=[{"custody": {"store": "isb"}}]
    )
    bus: dict[Name, BusModel] = Field(
        min_length=1, description="The new bus: exactly one.", examples=[{"metip": {"kind": "sql"}}]
    )
    offramp: dict[RampName, OffRampModel] = Field(
        default={}, description="The off-ramps.", examples=[{"nfd": {"observe": "tap"}}]
    )
    legacy: dict[Name, LegacyModel] = Field(
        default={},
        description="How the legacy buses route, for `isb-migrate topology`. No run needs it, and "
        "the plan's digest leaves it out.",
        examples=[{"isb": {"flows": {"custody": {}}, "tables": {"rules": "ref/routes.csv"}}}],
    )
