"""What a proposed flow could be replayed as: a mapping that changes nothing, and its schema."""

import json

from migrate.plan.propose.proposal import ProposedFlow


def message_type(flow: ProposedFlow) -> str:
    """The type and version of a flow's messages."""
    words = [word for word in flow.name.replace("_", "-").split("-") if word]
    return f"{'-'.join(words)}/1"


def files(flow: ProposedFlow) -> dict[str, str]:
    """By path below the plan's folder the mapping and the schema of a flow; none without fields."""
    if not flow.payload.spec.fields:
        return {}
    return {map_file(flow): mapping(flow), schema_file(flow): schema(flow)}


def map_file(flow: ProposedFlow) -> str:
    """Where the mapping is."""
    return f"maps/{flow.name}.sql"


def schema_file(flow: ProposedFlow) -> str:
    """Where the schema is."""
    return f"schemas/{message_type(flow).replace('/', '-')}.json"


def mapping(flow: ProposedFlow) -> str:
    """Every field under its own name, as it is written."""
    columns = "".join(
        f',\n    m.{field.name} AS "{field.name}"' for field in flow.payload.spec.fields
    )
    return (
        "-- A proposal: every field of the payload as it is written. Name and form the members as\n"
        "-- the message type wants them; docs/reference/plan.md says what a mapping may do.\n"
        f"SELECT\n    m.position{columns}\nFROM message AS m\n"
    )


def schema(flow: ProposedFlow) -> str:
    """A schema that the mapping's messages satisfy: texts, any of which may be absent."""
    text = {"type": "string"}
    members = {
        field.name: {
            "description": f"From {field.select}",
            **({"type": "array", "items": {"type": ["string", "null"]}} if field.many else text),
        }
        for field in flow.payload.spec.fields
    }
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"{message_type(flow)}, a proposal",
        "type": "object",
        "additionalProperties": False,
        "properties": members,
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
