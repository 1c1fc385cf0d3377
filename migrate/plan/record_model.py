"""What a flow's records and bodies are: the parts of `[flow.NAME]` that say how they are read."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from migrate.plan.section import Section
from migrate.plan.words import (
    Character,
    Charset,
    FieldName,
    FileCharset,
    Text,
    short_for,
)

TimeKind = Literal["utc", "local", "offset", "epoch_ms", "epoch_s"]
TimeChoice = Literal["quarantine", "earlier", "later"]
OverlayColumn = Literal[
    "message_type", "priority", "correlation_id", "order_key", "status", "created_at", "expires_at"
]


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
