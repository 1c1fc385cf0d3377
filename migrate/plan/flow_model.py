"""The `[flow.NAME]` part of the plan file. Descriptions and examples here are the reference."""

from typing import Literal

from pydantic import Field

from migrate.core.flow import Fate
from migrate.plan.record_model import PayloadModel, RecordModel, TimeModel
from migrate.plan.section import Section
from migrate.plan.words import (
    Charset,
    Limit,
    MessageType,
    Name,
    RampName,
    Text,
)

Lane = Literal["express", "standard", "bulk"]
SegmentColumn = Literal[
    "body",
    "charset",
    "message_type",
    "priority",
    "correlation_id",
    "order_key",
    "status",
    "attempts",
    "created_at",
    "expires_at",
]


class FateModel(Section):
    """One fate rule; the first that matches decides."""

    rule: Text = Field(
        description="The rule's name, unique in its flow; reports count by it.",
        examples=["expired"],
    )
    when: Text = Field(
        description="SQL condition over legacy columns, payload fields and `as_of`. NULL is no "
        "match; `true` always matches.",
        examples=["expires_at < as_of"],
    )
    fate: Fate = Field(
        description="`replayed` to the off-ramps its routes name, `archived` (kept, never "
        "delivered to a live system), `excluded`, or `quarantined`.",
        examples=["excluded"],
    )
    authority: Text | None = Field(
        default=None,
        description="On whose authority; required for `excluded`.",
        examples=["RRD-7.2"],
    )


class RouteModel(Section):
    """Where an output goes."""

    to: RampName = Field(description="A declared off-ramp.", examples=["custody"])
    lane: Lane = Field(
        default="standard",
        description="The lane: `express`, `standard` or `bulk`.",
        examples=["express"],
    )
    when: Text | None = Field(
        default=None,
        description="SQL condition; of one off-ramp's routes the first that holds gives the lane.",
        examples=["priority >= 7"],
    )


class OutputModel(Section):
    """`[[flow.NAME.output]]`: a message made of each replayed legacy message."""

    name: Name = Field(
        description="Name, unique in its flow; part of every message id.", examples=["footwear"]
    )
    type: MessageType = Field(
        description="Message type and version.", examples=["footwear-impression/1"]
    )
    map: Text | None = Field(
        default=None,
        description="File with the mapping: one SELECT over `message`. Either this or `sql`.",
        examples=["custody_footwear.sql"],
    )
    sql: Text | None = Field(
        default=None,
        description="The mapping itself, in place of `map`.",
        examples=['SELECT position, no AS "custodyNumber" FROM message'],
    )
    schema_: Text | None = Field(
        default=None,
        alias="schema",
        description="File with the JSON Schema of the type; default: the one built in for it.",
        examples=["schemas/footwear-impression-1.json"],
    )
    when: Text | None = Field(
        default=None,
        description="SQL condition: only then is this output made.",
        examples=["fw IS NOT NULL"],
    )
    routes: list[RouteModel] = Field(
        min_length=1,
        description="The off-ramps the message goes to.",
        examples=[[{"to": "nfd", "lane": "bulk"}]],
    )
    keep_null: bool = Field(
        default=False,
        description="Write members that are NULL as null instead of leaving them out.",
        examples=[True],
    )


class InvariantModel(Section):
    """`[[flow.NAME.invariant]]`: what must hold between a legacy message and what became of it."""

    name: Text = Field(
        description="The rule in words, unique in its flow.", examples=["custody number survives"]
    )
    sql: Text = Field(
        description="SELECT of `legacy_id` from `pairs`: every row it returns breaks the rule.",
        examples=["SELECT legacy_id FROM pairs WHERE legacy.no <> message.custodyNumber"],
    )
    output: Name | None = Field(
        default=None,
        description="The output it is about; default: the flow's first.",
        examples=["custody"],
    )


class CorrelationModel(Section):
    """Request and reply of one flow, paired by `correlation_id`."""

    request: Text = Field(
        description="SQL condition over legacy columns that tells a request.",
        examples=["message_type = 'REQ'"],
    )
    reply: Text = Field(
        description="SQL condition over legacy columns that tells a reply.",
        examples=["message_type = 'RSP'"],
    )


class ControlModel(Section):
    """A control total that somebody else declares."""

    rows: int = Field(ge=0, description="How many legacy messages there are.", examples=[1204331])
    by: Text | None = Field(default=None, description="Who says so.", examples=["DBA"])
    ref: Text | None = Field(
        default=None, description="Where it is written.", examples=["CHG0041234/3"]
    )


class FlowLimitsModel(Section):
    """Beyond these a run does not agree."""

    quarantined: Limit = Field(
        default="0",
        description="How many messages may be quarantined: a count or a share of the flow.",
        examples=[25, "1%"],
    )
    excluded: Limit | None = Field(
        default=None,
        description="How many messages may be excluded; default: no limit.",
        examples=["10%"],
    )


class FlowModel(Section):
    """`[flow.NAME]`: a population of one store, and what becomes of it."""

    store: Name = Field(description="A declared store.", examples=["isb"])
    from_: Text = Field(
        alias="from",
        description="`sql`: the table or view. `files`: a glob below the store's root.",
        examples=["isb_message", "footwear/*.xml"],
    )
    where: Text | None = Field(
        default=None,
        description="`sql`: predicate in the store's own SQL that tells this flow's rows.",
        examples=["flow = 'CUST'"],
    )
    key: list[Text] = Field(
        default=[],
        description="`sql`: the native key. Without one, rows are told apart by their content "
        "and occurrence.",
        examples=[["msg_id"]],
    )
    order_by: list[Text] = Field(
        default=[],
        description="`sql`: columns that give the order, before the key.",
        examples=[["put_utc"]],
    )
    columns: dict[SegmentColumn, Text] = Field(
        default={},
        description="`sql`: which store column is which legacy column (`body`, `charset`, "
        "`message_type`, `priority`, `correlation_id`, `order_key`, `status`, `attempts`, "
        "`created_at`, `expires_at`). Without `body`, the whole row is the body.",
        examples=[{"body": "payload", "order_key": "custody_no", "created_at": "put_local"}],
    )
    headers: list[Text] = Field(
        default=[],
        description="`sql`: further store columns, carried as headers.",
        examples=[["origin"]],
    )
    delivered: Text | None = Field(
        default=None,
        description="`sql`: query that returns the key columns and an endpoint for every delivery "
        "the legacy bus has had acknowledged; those are not made again.",
        examples=["SELECT msg_id, endpoint FROM isb_delivery WHERE acked = 1"],
    )
    endpoints: dict[str, RampName] = Field(
        default={},
        description="Which off-ramp takes the place of which legacy endpoint; default: the same "
        "name.",
        examples=[{"NFD_IN": "nfd"}],
    )
    charset: Charset | None = Field(
        default=None,
        description="Character set of bodies that are bytes and for which the store names none; "
        "without it an XML body's own declaration decides, and else it is UTF-8.",
        examples=["windows-1252"],
    )
    time: TimeModel = Field(
        default=TimeModel(),
        description="What the texts in the time columns mean.",
        examples=[{"created_at": "local", "never": ["9999-12-31"]}],
    )
    record: RecordModel | None = Field(
        default=None,
        description="`files`: how a file is cut into records.",
        examples=[{"format": "xml", "each": "/batch/impression"}],
    )
    after_quarantine: Literal["hold", "continue"] = Field(
        default="hold",
        description="Whether later messages of a quarantined one's order key are held behind it.",
        examples=["continue"],
    )
    archive_lane: Lane = Field(
        default="bulk", description="The lane of archived messages.", examples=["standard"]
    )
    ids: Literal["personal", "plain"] = Field(
        default="personal",
        description="Whether reports hash `legacy_id` (`personal`) or show it (`plain`).",
        examples=["plain"],
    )
    control: ControlModel | None = Field(
        default=None,
        description="A declared control total, compared by reconciliation.",
        examples=[{"rows": 1204331, "by": "DBA", "ref": "CHG0041234/3"}],
    )
    limits: FlowLimitsModel = Field(
        default=FlowLimitsModel(),
        description="How much may be quarantined or excluded.",
        examples=[{"quarantined": 25, "excluded": "10%"}],
    )
    payload: PayloadModel = Field(
        default=PayloadModel(),
        description="How bodies are read.",
        examples=[{"format": "json", "fields": {"no": "/custody/number"}}],
    )
    fate: list[FateModel] = Field(
        min_length=1,
        description="Fate rules, first match decides; a message that matches none is quarantined.",
        examples=[[{"rule": "all", "when": "true", "fate": "archived"}]],
    )
    correlation: CorrelationModel | None = Field(
        default=None,
        description="How requests and replies are told apart, where they come in pairs.",
        examples=[{"request": "message_type = 'REQ'", "reply": "message_type = 'RSP'"}],
    )
    output: list[OutputModel] = Field(
        default=[],
        description="The messages made of a replayed legacy message, `[[flow.NAME.output]]`.",
        examples=[
            [
                {
                    "name": "custody",
                    "type": "custody-record/2",
                    "map": "custody.sql",
                    "routes": [{"to": "custody"}],
                }
            ]
        ],
    )
    invariant: list[InvariantModel] = Field(
        default=[],
        description="What must hold across the mapping, `[[flow.NAME.invariant]]`. Without one, "
        "reports say that the mapping is not assured.",
        examples=[
            [
                {
                    "name": "number survives",
                    "sql": "SELECT legacy_id FROM pairs WHERE legacy.no <> message.no",
                }
            ]
        ],
    )
