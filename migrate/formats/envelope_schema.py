"""The envelope described: every attribute, what it means, and its name on each kind of bus.

Attributes are those of `migrate.formats.envelope`. Names on a bus are those of the
CloudEvents 1.0.2 protocol bindings (AMQP, NATS, Kafka); the embedded bus and the SQL
outbox have the names of the Kafka binding.
"""

from dataclasses import dataclass, field
from typing import Any

from migrate.core.flow import LANES

CONTENT_TYPE = "datacontenttype"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of the envelope. `always`: no message is without it; `core`: CloudEvents
    itself defines it; `rules`: further keywords of its JSON Schema."""

    name: str
    meaning: str
    always: bool = False
    core: bool = False
    rules: dict[str, Any] = field(default_factory=dict)


_INSTANT = {"format": "date-time"}

ATTRIBUTES = (
    Attribute(
        "id",
        "Identifies the message: the same legacy message has the same id in every run, so a "
        "repeated delivery is told by it.",
        always=True,
        core=True,
    ),
    Attribute("source", "The flow that the message comes out of.", always=True, core=True),
    Attribute(
        "specversion",
        "Version of CloudEvents.",
        always=True,
        core=True,
        rules={"const": "1.0"},
    ),
    Attribute("type", "Message type and version.", always=True, core=True),
    Attribute("subject", "What the message is about, where its mapping says so.", core=True),
    Attribute(
        "time",
        "When the legacy message was made, where the store says so.",
        core=True,
        rules=_INSTANT,
    ),
    Attribute("dataschema", "The schema of the body.", core=True),
    Attribute(CONTENT_TYPE, "Media type of the body.", always=True, core=True),
    Attribute(
        "lane",
        "The priority lane that this delivery came by.",
        always=True,
        rules={"enum": list(LANES)},
    ),
    Attribute("flow", "Name of the flow.", always=True),
    Attribute(
        "sequence",
        "Place of the legacy message in its flow, in nineteen digits, so that texts and numbers "
        "compare alike. Within an off-ramp, a lane and an order key it only grows; gaps are no "
        "loss.",
        always=True,
        rules={"pattern": "^[0-9]{19}$"},
    ),
    Attribute("orderkey", "What has to stay in order: messages that share it arrive as they were."),
    Attribute("correlationid", "Pairs a reply with its request."),
    Attribute(
        "expirytime", "When the message loses its worth, where the store says so.", rules=_INSTANT
    ),
    Attribute("legacyid", "The message's key in the legacy store.", always=True),
    Attribute(
        "bodynull",
        "The legacy body was absent, which an empty one is not.",
        rules={"const": "true"},
    ),
    Attribute("marking", "Protective marking.", always=True),
    Attribute("environment", "Where the migration ran.", always=True),
    Attribute("runid", "The run that brought the message here.", always=True),
)
"""In the order in which they are shown. Every value is text."""


CLAIM_ATTRIBUTES = (
    Attribute(
        "dataref",
        "Where the body lies, where it is too large for the bus: the message has none then.",
    ),
    Attribute(
        "datadigest",
        "Digest of a body that lies elsewhere.",
        rules={"pattern": "^sha256:[0-9a-f]{64}$"},
    ),
    Attribute(
        "datalength",
        "Bytes of a body that lies elsewhere, in decimal digits.",
        rules={"pattern": "^[1-9][0-9]*$"},
    ),
)
"""What messages have besides where the bus has a claim check."""


@dataclass(frozen=True, slots=True)
class Naming:
    """How a bus names attributes in headers: a prefix; `content_type` is what the content type
    goes by, None where it is no header but a property of the protocol's own; `event_type` is that
    of an event in structured mode. `other`: the prefix of headers that are no attributes."""

    prefix: str
    content_type: str | None
    event_type: str | None
    note: str = ""
    other: str = ""

    def header(self, attribute: str) -> str | None:
        """The header of an attribute; None where it has none."""
        return self.content_type if attribute == CONTENT_TYPE else self.prefix + attribute


TABLE_NAMES = Naming(
    "ce_", "content-type", "content-type", "Headers are members of one JSON object."
)
KAFKA_NAMES = Naming("ce_", "content-type", "content-type", "Header values are UTF-8.")
NATS_NAMES = Naming(
    "ce-",
    "ce-datacontenttype",
    "Content-Type",
    "Header values are percent-encoded, as the CloudEvents HTTP binding has it.",
    "isb-",
)
AMQP_NAMES = Naming(
    "cloudEvents_",
    None,
    None,
    "Attributes are application properties (AMQP 0-9-1: entries of the headers table); the "
    "content type is the message's own property.",
)


def every_attribute(*, claims: bool = False) -> tuple[Attribute, ...]:
    """The attributes that messages may have, with `claims` on a bus that has a claim check."""
    return (*ATTRIBUTES, *(CLAIM_ATTRIBUTES if claims else ()))


def envelope_schema(naming: Naming, *, claims: bool = False) -> dict[str, Any]:
    """JSON Schema of the headers that all messages share, by their names on a bus."""
    every = every_attribute(claims=claims)
    shown = [(header, one) for one in every if (header := naming.header(one.name))]
    return {
        "title": "Envelope",
        "description": "CloudEvents 1.0 attributes in binary mode, extensions among them.",
        "type": "object",
        "required": [header for header, one in shown if one.always],
        "properties": {header: described(one) for header, one in shown},
    }


def described(attribute: Attribute) -> dict[str, Any]:
    """JSON Schema of one attribute."""
    return {
        "description": attribute.meaning,
        "type": "string",
        **attribute.rules,
        "x-attribute": attribute.name,
        "x-defined-by": "CloudEvents" if attribute.core else "isb-migrate",
    }
