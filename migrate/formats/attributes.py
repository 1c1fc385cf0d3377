"""The attributes of an envelope, in words: for the reference page and the catalogue."""

from typing import NamedTuple


class Attribute(NamedTuple):
    """One attribute. `type`: of CloudEvents' type system. `origin`: who defines it."""

    name: str
    type: str
    origin: str
    meaning: str


_CORE = "CloudEvents 1.0"
_OURS = "ours"

ATTRIBUTES = (
    Attribute("bodynull", "String", _OURS, "`true` where the legacy body was null, not empty"),
    Attribute("correlationid", "String", "Correlation", "Pairs a request with its reply"),
    Attribute("datacontenttype", "String", _CORE, "Media type of the body"),
    Attribute("dataschema", "URI", _CORE, "The format of the body: its schema's `$id`"),
    Attribute("environment", "String", _OURS, "Environment that the plan names"),
    Attribute("expirytime", "Timestamp", "Expiry Time", "When the message is worth nothing more"),
    Attribute("flow", "String", _OURS, "Flow of the plan"),
    Attribute("id", "String", _CORE, "Message id: the same on every run and machine"),
    Attribute("lane", "String", _OURS, "Lane; a delivery's, outside the message's digest"),
    Attribute("legacyid", "String", _OURS, "Key of the message in the legacy store"),
    Attribute(
        "marking", "String", _OURS, "Protective marking (Government Security Classifications)"
    ),
    Attribute("orderkey", "String", _OURS, "Messages of one key keep their order within a lane"),
    Attribute("runid", "String", _OURS, "Run that published it; outside the message's digest"),
    Attribute(
        *("sequence", "String", "Sequence"),
        "Place in its flow, nineteen digits: compared as text or as a number alike",
    ),
    Attribute("source", "URI-reference", _CORE, "Namespace and flow, as a URN"),
    Attribute("specversion", "String", _CORE, "`1.0`"),
    Attribute("subject", "String", _CORE, "What the message is about, where its mapping says so"),
    Attribute("time", "Timestamp", _CORE, "When the legacy message came to be"),
    Attribute("type", "String", _CORE, "Namespace, format and version: `met.isb.address.v1`"),
)
"""Every attribute an envelope may have; a CloudEvents extension is named by its title."""
