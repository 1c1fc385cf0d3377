"""The messages of a catalogue: headers, bodies, examples."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import jsonschema_rs

from migrate.core.flow import FlowSpec, OutputSpec
from migrate.formats.catalogue import examples, schema_types
from migrate.formats.embed import embedded
from migrate.formats.envelope import JSON, constants, legacy_content_type
from migrate.formats.envelope_schema import CONTENT_TYPE, Naming, envelope_schema
from migrate.formats.event_schema import beside_schema, event_schema
from migrate.plan.catalogue.arrivals import Arrival
from migrate.plan.catalogue.events import BESIDE, CORRELATION, EVENT, as_event
from migrate.plan.catalogue.protocols import Protocol
from migrate.plan.plan import Plan
from migrate.transform.messages import LEGACY_TYPE

ENVELOPE = "envelope"
_DRAFTS = ("2020-12", "2019-09", "draft-07", "draft-06", "draft-04")
_ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)  # nothing that all messages share depends on it


def message(plan: Plan, bus: Protocol, arrival: Arrival) -> dict[str, Any]:
    """The Message Object of an output, or of what a flow archives."""
    flow, output = arrival.flow, arrival.output
    found = _archived(plan, flow) if output is None else _mapped(output)
    naming = bus.naming
    if arrival.structured:
        found = _event(plan, arrival, found)
        headers: dict[str, Any] = {"$ref": f"#/components/schemas/{BESIDE}"}
        correlation = CORRELATION
    else:
        headers = _headers(plan, naming, arrival, found["contentType"])
        correlation = f"$message.header#/{naming.header('correlationid')}"
    found = {
        "name": _type(plan, arrival),
        **found,
        "tags": [{"$ref": f"#/components/tags/{flow.name}"}],
        "headers": headers,
        "correlationId": {
            "description": "Absent where a message belongs to no pair.",
            "location": correlation,
        },
    }
    if bus.message:
        found["bindings"] = bus.message
    return found


def shared_schemas(naming: Naming, arrivals: Iterable[Arrival], *, claims: bool) -> dict[str, Any]:
    """By component name what messages share, as far as these need it: the envelope in headers, or
    the event and the headers beside it."""
    modes = {arrival.structured for arrival in arrivals}
    found: dict[str, Any] = {}
    if modes != {True}:
        found[ENVELOPE] = envelope_schema(naming, claims=claims)
    if True in modes:
        found |= {EVENT: event_schema(claims=claims), BESIDE: beside_schema(naming)}
    return found


def payload_schemas(outputs: Iterator[OutputSpec]) -> dict[str, Any]:
    """Multi Format Schema Objects by component name, a type once."""
    found: dict[str, Any] = {}
    for output in outputs:
        name = component(output.type)
        if name not in found:
            schema = json.loads(output.schema)
            found[name] = {
                "schemaFormat": _format(schema),
                "schema": embedded(schema, f"#/components/schemas/{name}/schema"),
                "x-type": output.type,
                "x-dataschema": output.schema_uri,
            }
    return found


def component(type_: str) -> str:
    """The name of a type's schema among the components: `custody-record-2`."""
    return type_.replace("/", "-")


def _event(plan: Plan, arrival: Arrival, found: dict[str, Any]) -> dict[str, Any]:
    """The message as an event in structured mode; its schema is written in that of its data."""
    output = arrival.output
    schema = None if output is None else component(output.type)
    event = as_event(found, _constants(plan, arrival), schema)
    if output is not None:
        event["payload"] = {
            "schemaFormat": _format(json.loads(output.schema)),
            "schema": event["payload"],
        }
    return event


def _format(schema: Any) -> str:
    return f"application/schema+json;version={_draft(schema)}"


def _draft(schema: Any) -> str:
    """The dialect a schema says it is written in; without one, that in which bodies are checked."""
    said = schema.get("$schema") if isinstance(schema, dict) else None
    known = (one for one in _DRAFTS if isinstance(said, str) and f"/{one}/" in said)
    return next(known, _DRAFTS[0])


def _mapped(output: OutputSpec) -> dict[str, Any]:
    schema = json.loads(output.schema)
    facts = schema if isinstance(schema, dict) else {}
    title, summary = facts.get("title"), facts.get("description")
    found: dict[str, Any] = {"title": title if isinstance(title, str) else output.type}
    if isinstance(summary, str):
        found["summary"] = summary
    found["contentType"] = JSON
    found["payload"] = {"$ref": f"#/components/schemas/{component(output.type)}"}
    shown = list(_examples(output.type, schema))
    if shown:
        found["examples"] = shown
    return found


def _examples(type_: str, schema: Any) -> Iterator[dict[str, Any]]:
    """The examples that come with a format, or else those its schema gives, where they are valid:
    a plan may have a schema of its own under a built-in type's name."""
    given = examples(type_) if type_ in schema_types() else {}
    found = [{"name": name, "payload": value} for name, value in given.items()]
    if not found and isinstance(schema, dict) and isinstance(schema.get("examples"), list):
        found = [{"payload": value} for value in schema["examples"]]
    validator = jsonschema_rs.validator_for(schema, offline=True)
    yield from (one for one in found if validator.is_valid(one["payload"]))


def _archived(plan: Plan, flow: FlowSpec) -> dict[str, Any]:
    whole_row = plan.model.store[flow.source.store].kind == "sql" and not flow.source.column("body")
    return {
        "title": f"Archived message of flow {flow.name}",
        "summary": "A legacy message as it was, byte for byte; kept, and delivered to no system.",
        "contentType": legacy_content_type(flow, "row" if whole_row else None, None),
        "payload": {"description": "The legacy body, unchanged."},
    }


def _type(plan: Plan, arrival: Arrival) -> str:
    return _constants(plan, arrival)["type"]


def _constants(plan: Plan, arrival: Arrival) -> dict[str, str]:
    """The attributes that are alike in all messages of an output."""
    output = arrival.output
    type_, uri = (output.type, output.schema_uri) if output else (LEGACY_TYPE, None)
    shared = constants(plan.envelope(_ANY_TIME), arrival.flow.name, type_, uri)
    every = {
        "type": shared.type,
        "source": shared.source,
        "flow": shared.flow,
        "environment": shared.environment,
        "marking": shared.marking,
        "dataschema": shared.data_schema,
    }
    return {name: value for name, value in every.items() if value is not None}


def _headers(plan: Plan, naming: Naming, arrival: Arrival, content_type: str) -> dict[str, Any]:
    """The envelope, and what this message's has constant. An archived body's media type may be
    followed by a character set, and it has no schema."""
    known = _constants(plan, arrival)
    if arrival.output is not None:
        known[CONTENT_TYPE] = content_type
    pinned = {
        header: {"const": value}
        for attribute, value in known.items()
        if (header := naming.header(attribute))
    }
    return {
        "type": "object",
        "allOf": [{"$ref": f"#/components/schemas/{ENVELOPE}"}],
        "properties": pinned,
    }
