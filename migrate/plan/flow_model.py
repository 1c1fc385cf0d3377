"""The `[flow.NAME]` part of the plan file. Descriptions and examples here are the reference."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from migrate.core.flow import Fate
from migrate.plan.words import (
    Character,
    Charset,
    FieldName,
    FileCharset,
    Limit,
    MessageType,
    Name,
    RampName,
    Text,
    short_for,
)

Lane = Literal["express", "standard", "bulk"]
TimeKind = Literal["utc", "local", "offset", "epoch_ms", "epoch_s"]
TimeChoice = Literal["quarantine", "earlier", "later"]
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
OverlayColumn = Literal[
    "message_type", "priority", "correlation_id", "order_key", "status", "created_at", "expires_at"
]


class Section(BaseModel):
    """A table of the plan file: no key but the declared ones, no silent conversion."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class TimeModel(Section):
    """How the texts of the time columns become instants."""

    created_at: TimeKind = Field(
        default="utc",
        description="What the text in `created_at` means: `utc` (no offset written, UTC meant), "
        "`local` (wall clock of the plan's `timezone`), `offset` (the text carries its offset), "
        "`epoch_ms`, `epoch_s`.",
        examples=["local"],
    )
    expires_at: TimeKind = Field(
        default="utc",
        description="What the text in `expires_at` means; values as for `created_at`.",
        examples=["epoch_ms"],
    )
    ambiguous: TimeChoice = Field(
        default="quarantine",
        description="A local time in the autumn hour that happens twice: quarantine the message, "
        "or take the `earlier` or `later` instant.",
        examples=["earlier"],
    )
    nonexistent: TimeChoice = Field(
        default="quarantine",
        description="A local time in the spring hour that never happens: quarantine the message, "
        "or take the `earlier` or `later` reading.",
        examples=["later"],
    )
    never: list[str] = Field(
        default=[],
        description="Texts that mean “no time”, exactly as the store writes them.",
        examples=[["9999-12-31"]],
    )


class TrailerModel(Section):
    """Records that say how many records there are before them."""

    type: Text = Field(
        description="First field (`csv`) or first characters (`fixed`) of such a record.",
        examples=["99"],
    )
    count: Text = Field(
        description="Where its number is: the number of the field from 1 (`csv`), `start:end` in "
        "characters from 0 (`fixed`).",
        examples=["3"],
    )
    besides: list[Text] = Field(
        default=[],
        description="Types that the number leaves out besides the trailer itself.",
        examples=[["10", "29"]],
    )


class RecordModel(Section):
    """How a file of a spool is cut into records (stores of kind `files`)."""

    format: Literal["file", "xml", "json", "jsonl", "csv", "fixed", "text", "edi"] = Field(
        default="file",
        description="How a file is cut: `file` (the whole file is one record), `xml` and `json` (a "
        "document, or a repeated part of it), `jsonl`, `csv`, `fixed` "
        "and `text` (a record each line), `edi` (EDIFACT or X12: interchanges, or their messages).",
        examples=["csv"],
    )
    each: Text | None = Field(
        default=None,
        description="Path of the repeated part: the element for `xml`, `/*` or `/items/*` for "
        "`json`, `message` for `edi`. Without it the whole document or interchange is one record.",
        examples=["/batch/impression"],
    )
    header: bool = Field(
        default=True,
        description="`csv`: whether the first record names the columns.",
        examples=[False],
    )
    columns: list[Text] = Field(
        default=[],
        description="`csv` without a header record: the names of the columns, in order.",
        examples=[["ref", "recorded_at", "pattern"]],
    )
    delimiter: Character = Field(
        default=",", description="`csv`: what separates the fields.", examples=["\t"]
    )
    quote: Character = Field(
        default='"', description="`csv`: what encloses a field.", examples=["'"]
    )
    charset: FileCharset = Field(
        default="utf-8",
        description="Character set of the files; `detect` records what was found for each file.",
        examples=["windows-1252"],
    )
    record_type: Text | None = Field(
        default=None,
        description="`csv`, `fixed`: keep only records whose first field is this one.",
        examples=["21"],
    )
    trailer: TrailerModel | None = Field(
        default=None,
        description="`csv`, `fixed`: records that count those before them. What they say and what "
        "is there become control totals, which reconciliation compares.",
        examples=[{"type": "99", "count": "3", "besides": ["10", "29"]}],
    )


class FieldModel(Section):
    """A payload field written out in full."""

    select: str = Field(
        description="Where the text is found: XPath (`xml`), JSON pointer (`json`), column name "
        "(`csv`, `row`), `start:end` in characters from 0 (`fixed`), `class` (`java`).",
        examples=["/c:rec/c:no"],
    )
    required: bool = Field(
        default=False,
        description="Quarantine a message to be replayed in which the field is absent, null or "
        "empty.",
        examples=[True],
    )
    many: bool = Field(
        default=False,
        description="`xml`, `json`: take all values as a list. Otherwise several values "
        "quarantine the message.",
        examples=[True],
    )


class PayloadModel(Section):
    """How a body becomes the fields that rules and mappings see. Values enter as written text."""

    format: Text = Field(
        default="opaque",
        description="How the body is read: `xml`, `json`, `csv`, `fixed`, `row` (a table row "
        "without a body column), `java` (a Java-serialised object: its class name, nothing else), "
        "`text`, or `opaque` (not at all).",
        examples=["xml"],
    )
    ns: dict[str, Text] = Field(
        default={},
        description="`xml`: prefixes for the paths. A default namespace needs a prefix here too.",
        examples=[{"c": "urn:nspis:custody"}],
    )
    fields: dict[
        FieldName,
        Annotated[
            FieldModel,
            BeforeValidator(short_for("select"), json_schema_input_type=str | FieldModel),
        ],
    ] = Field(
        default={},
        description="Name of each field and where it is found: a selector, or a table with "
        "`select`, `required`, `many`.",
        examples=[{"no": {"select": "/c:rec/c:no", "required": True}, "ver": "/c:rec/@ver"}],
    )
    charset: Charset | None = Field(
        default=None,
        description="Character set of every body, instead of the one the store names.",
        examples=["windows-1252"],
    )
    max_bytes: int = Field(
        default=64 * 1024 * 1024,
        gt=0,
        description="A larger body is quarantined when it has to be read.",
        examples=[8388608],
    )
    max_depth: int = Field(
        default=200,
        gt=0,
        description="A body nested deeper than this is quarantined.",
        examples=[64],
    )
    overlay: dict[OverlayColumn, str] = Field(
        default={},
        description="Legacy columns to fill from payload fields where the store has no value: "
        "`message_type`, `priority`, `correlation_id`, `order_key`, `status`, `created_at`, "
        "`expires_at`.",
        examples=[{"order_key": "no"}],
    )


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
