"""What the rooms below the plan need to know of a flow: frozen, picklable, no file access.

The plan room builds these from the plan file, with every mapping and schema
already read in, so that extraction, transformation and reconciliation hold
one and the same description.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Fate = Literal["replayed", "archived", "excluded", "quarantined"]
FATES: tuple[Fate, ...] = ("replayed", "archived", "excluded", "quarantined")

ARCHIVE = "archive"
"""The destination, and the output name, of archived messages."""

LANES = ("express", "standard", "bulk")
"""Lanes in the order in which they are loaded."""


@dataclass(frozen=True, slots=True)
class TimeSpec:
    """How a legacy time column's text becomes an instant.

    `kind`: `utc` (no offset written, UTC meant), `local` (wall clock of
    `timezone`), `offset` (the text carries its offset), `epoch_ms`, `epoch_s`.
    `ambiguous`, `nonexistent`: what to do with a local time in the hour that
    happens twice or never: `quarantine`, `earlier` (first pass), `later`.
    `never`: texts that mean "no time".
    """

    kind: Literal["utc", "local", "offset", "epoch_ms", "epoch_s"] = "utc"
    timezone: str = "UTC"
    ambiguous: Literal["quarantine", "earlier", "later"] = "quarantine"
    nonexistent: Literal["quarantine", "earlier", "later"] = "quarantine"
    never: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TrailerSpec:
    """Records that say how many there are before them.

    `count`: where; the number of the field from 1 (csv), `start:end` in characters from 0 (fixed).
    """

    type: str  # the first field, or the first characters, of a trailer
    count: str
    besides: tuple[str, ...] = ()  # types that the count leaves out too, such as headers


@dataclass(frozen=True, slots=True)
class RecordSpec:
    """How a file of a spool is cut into records (kind `files` only).

    `format`: `file` (the whole file is one record), `xml` (`each` is the path
    of the repeated element, such as `/batch/impression`), `json` (a whole document, or an
    array's elements when `each` is `/*` or `/items/*`), `jsonl`, `csv`, `fixed`, `text` (a
    line each), `edi` (interchanges of EDIFACT or X12; their messages when `each` is `message`).
    """

    format: Literal["file", "xml", "json", "jsonl", "csv", "fixed", "text", "edi"] = "file"
    each: str | None = None
    header: bool = True  # csv: the first record names the columns
    columns: tuple[str, ...] = ()  # csv without a header
    delimiter: str = ","
    quote: str = '"'
    charset: str = "utf-8"  # declared; `detect` is recorded per file
    record_type: str | None = None  # csv/fixed: keep records whose first field is this one
    trailer: TrailerSpec | None = None  # csv/fixed: what counts the records of a file


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """Where a flow's legacy messages are and which columns mean what."""

    flow: str
    store: str
    from_: str  # table (sql) or glob below the store's root (files)
    where: str | None = None
    key: tuple[str, ...] = ()
    order_by: tuple[str, ...] = ()
    columns: tuple[tuple[str, str], ...] = ()  # (segment column, store column), in plan order
    headers: tuple[str, ...] = ()  # store columns carried as headers
    delivered: str | None = None  # query: key columns, then endpoint
    endpoints: tuple[tuple[str, str], ...] = ()  # (legacy endpoint, off-ramp)
    times: tuple[tuple[str, TimeSpec], ...] = ()  # for created_at, expires_at
    charset: str | None = None  # of bytes whose record names none
    record: RecordSpec = field(default_factory=RecordSpec)

    def column(self, name: str) -> str | None:
        """The store column behind a segment column, if the plan names one."""
        return dict(self.columns).get(name)


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One payload field: a name in mappings and rules, and where its text is found.

    `select`: XPath (xml), JSON pointer (json), column name (csv), `start:end`
    in characters from 0 (fixed), member (row), `class` (java).
    """

    name: str
    select: str
    required: bool = False
    many: bool = False  # xml, json: a list of all values instead of at most one


@dataclass(frozen=True, slots=True)
class PayloadSpec:
    """How a body becomes fields; all values enter as written text."""

    format: str = "opaque"  # a key of transform's payload registry
    fields: tuple[FieldSpec, ...] = ()
    namespaces: tuple[tuple[str, str], ...] = ()
    charset: str | None = None  # overrides the segment's
    max_bytes: int = 64 * 1024 * 1024
    max_depth: int = 200
    overlay: tuple[tuple[str, str], ...] = ()  # (segment column, field): fills a null column


@dataclass(frozen=True, slots=True)
class FateRule:
    """`when` is a SQL condition over legacy columns, payload fields and `as_of`."""

    rule: str
    when: str
    fate: Fate
    authority: str | None = None


@dataclass(frozen=True, slots=True)
class RouteSpec:
    """The first route of a destination whose `when` holds names its lane."""

    to: str
    lane: str = "standard"
    when: str | None = None


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """One message out of one legacy message: the mapping's SQL, the schema's JSON text."""

    name: str
    type: str  # such as custody-record/2
    sql: str
    schema: str  # JSON Schema text
    schema_uri: str
    routes: tuple[RouteSpec, ...]
    when: str | None = None
    keep_null: bool = False  # write null members instead of leaving them out


@dataclass(frozen=True, slots=True)
class InvariantSpec:
    """A SELECT of `legacy_id` over `pairs`: every row it returns breaks the rule."""

    name: str
    sql: str
    output: str


@dataclass(frozen=True, slots=True)
class CorrelationSpec:
    """Request and reply of one flow: conditions over legacy columns, as in a fate rule."""

    request: str
    reply: str


@dataclass(frozen=True, slots=True)
class FlowSpec:
    """One flow, whole."""

    name: str
    source: SourceSpec
    payload: PayloadSpec
    fates: tuple[FateRule, ...]
    outputs: tuple[OutputSpec, ...]
    invariants: tuple[InvariantSpec, ...] = ()
    correlation: CorrelationSpec | None = None
    after_quarantine: Literal["hold", "continue"] = "hold"
    archive_lane: str = "bulk"
    limit_quarantined: str = "0"  # a count, or "10%"
    limit_excluded: str | None = None
    control_rows: int | None = None
    control_by: str | None = None
    control_ref: str | None = None
    personal_ids: bool = True  # reports hash legacy_id unless this is false


@dataclass(frozen=True, slots=True)
class Envelope:
    """What every message of a run carries."""

    namespace: str
    environment: str
    marking: str
    as_of: datetime  # the only clock that fates and mappings see; timezone-aware UTC


@dataclass(frozen=True, slots=True)
class BlackoutSpec:
    """Hours in which nothing is published, on the wall clock of `zone`.

    `start`, `end`: minutes since midnight, the end exclusive and up to 1,440; an end that is not
    behind the start is on the next day. `days`: those on which it begins, Monday is 0.
    """

    start: int
    end: int
    days: tuple[int, ...]
    zone: str


@dataclass(frozen=True, slots=True)
class BacklogSpec:
    """Messages that wait for their receivers: above which number an off-ramp is paused, and below
    which it is fed again. `consumers`: what the receivers are called on the bus, where it has to
    be told."""

    pause_above: int
    resume_below: int
    consumers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OffRampSpec:
    """A destination on the bus and what may be assumed of it."""

    name: str
    duplicates: Literal["unsafe", "message_id"] = "unsafe"
    exclusive: bool = True
    observe: Literal["direct", "tap", "counts"] = "direct"
    messages_per_s: float | None = None
    expiry: Literal["absolute", "restart", "none"] = "absolute"
    mode: Literal["binary", "structured"] = "binary"  # CloudEvents content mode
    bytes_per_s: int | None = None  # of bodies
    backlog: BacklogSpec | None = None
    blackouts: tuple[BlackoutSpec, ...] = ()
    options: tuple[tuple[str, str], ...] = ()  # of the kind of bus


CLAIM_BASE = "urn:isb-migrate:claim:"
"""What stands before a claim's name in a reference, where the plan names nothing else."""


@dataclass(frozen=True, slots=True)
class ClaimsSpec:
    """Where bodies of more than `above` bytes are kept instead of on the bus.

    `kind`, `url`: of the claim store, secrets expanded. `namespace`: whose key names claims.
    `base`: what stands before a claim's name in the deliveries that refer to it.
    """

    kind: str
    url: str
    above: int
    namespace: str
    base: str = CLAIM_BASE


@dataclass(frozen=True, slots=True)
class BusSpec:
    """A bus: its registered kind, its URL with secrets expanded, further options."""

    name: str
    kind: str
    url: str
    options: tuple[tuple[str, str], ...] = ()
    claims: ClaimsSpec | None = None


@dataclass(frozen=True, slots=True)
class StoreSpec:
    """A legacy store: its registered kind, its URL or root folder with secrets expanded."""

    name: str
    kind: str
    url: str
    schema: str | None = None
    allow_writes: bool = False
    adbc: bool = True
    sessions: int = 2
    rows_per_s: int | None = None
    statement_timeout_s: int | None = None
    batch_rows: int = 10_000
    batch_bytes: int = 32 * 1024 * 1024
    out_of_scope: tuple[tuple[str, str], ...] = ()  # (table or glob, reason)
    options: tuple[tuple[str, str], ...] = ()
