"""Messages of off-ramps in structured mode: the payload is the whole event, data and all."""

from typing import Any

from migrate.core.flow import LANES
from migrate.formats.bindings.event import STRUCTURED
from migrate.formats.envelope import JSON
from migrate.formats.envelope_schema import CONTENT_TYPE

EVENT, BESIDE = "event", "beside-event"
"""Components: what all events have, and the headers that stand beside each."""

CORRELATION = "$message.payload#/correlationid"
_ANY_ID = "0" * 32


def as_event(found: dict[str, Any], known: dict[str, str], schema: str | None) -> dict[str, Any]:
    """A Message Object in binary mode as one in structured mode.

    `known`: the attributes that all these messages have alike; `schema`: the name of the
    component that their data fit, None for bodies as they were.
    """
    if schema is not None:
        known = {**known, CONTENT_TYPE: JSON}
    inner: dict[str, Any] = {
        "type": "object",
        "allOf": [{"$ref": f"#/components/schemas/{EVENT}"}],
        "properties": {name: {"const": value} for name, value in known.items()},
    }
    event = {**found, "contentType": STRUCTURED, "payload": inner}
    if schema is not None:
        inner["properties"] |= {"data": {"$ref": f"#/components/schemas/{schema}/schema"}}
        event["x-data"] = {"$ref": f"#/components/schemas/{schema}"}
    if "examples" in found:
        event["examples"] = [
            {**one, "payload": _example(known, one["payload"])} for one in found["examples"]
        ]
    return event


def _example(known: dict[str, str], data: Any) -> dict[str, Any]:
    """An event with data; what differs from message to message is a placeholder."""
    return {
        "id": _ANY_ID,
        "specversion": "1.0",
        "lane": LANES[0],
        "legacyid": "1",
        "runid": "run-1",
        "sequence": "0" * 18 + "1",
        **known,
        "data": data,
    }
