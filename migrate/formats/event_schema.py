"""Events in structured mode described: the members of their document, the headers beside it."""

from typing import Any

from migrate.core.window import EVENT_EXPIRY, EVENT_ID, EVENT_RUN
from migrate.formats.bindings.event import STRUCTURED
from migrate.formats.envelope_schema import (
    ATTRIBUTES,
    Naming,
    described,
    every_attribute,
)

_BESIDE = {
    EVENT_ID: ("The event's id, as it stands in the event.", True),
    EVENT_RUN: ("The run that brought the event here, as it stands in the event.", True),
    EVENT_EXPIRY: ("When the event loses its worth, where it says so.", False),
}


def event_schema(*, claims: bool = False) -> dict[str, Any]:
    """JSON Schema of the document that every event in structured mode is, whatever its data."""
    return {
        "title": "Event",
        "description": "A CloudEvent 1.0 in the JSON event format, extensions among its members.",
        "type": "object",
        "required": [one.name for one in ATTRIBUTES if one.always],
        "properties": {
            **{one.name: described(one) for one in every_attribute(claims=claims)},
            "data": {
                "description": "The body, where it is JSON that any reader would write again as it "
                "is."
            },
            "data_base64": {
                "description": "The body of every other message: its bytes in base 64. An event "
                "whose legacy body was absent has neither member.",
                "type": "string",
            },
        },
        "not": {"required": ["data", "data_base64"]},
    }


def beside_schema(naming: Naming) -> dict[str, Any]:
    """JSON Schema of the headers that stand beside every event, by their names on a bus."""
    properties: dict[str, Any] = {
        naming.other + name: {"description": meaning, "type": "string"}
        for name, (meaning, _) in _BESIDE.items()
    }
    required = [naming.other + name for name, (_, always) in _BESIDE.items() if always]
    if naming.event_type is not None:
        properties[naming.event_type] = {
            "description": "That the body is an event in structured mode.",
            "type": "string",
            "const": STRUCTURED,
        }
        required.append(naming.event_type)
    return {
        "title": "Beside an event",
        "description": "Headers that buses need; readers of the event do not.",
        "type": "object",
        "required": required,
        "properties": properties,
    }
