"""The catalogue of a plan: an AsyncAPI 3.0.0 document, from the plan alone.

What AsyncAPI has no word for stands in extensions (`x-…`). Texts that AsyncAPI
takes for CommonMark (`description`) are our own words and names whose letters the
plan restricts; free text of a plan stands in extensions and schemas only. No URL of a
plan, and nothing of the environment, is in it.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from migrate.core.flow import ARCHIVE, CLAIM_BASE, OffRampSpec
from migrate.plan.catalogue.arrivals import Arrival, Channel, Way, channels
from migrate.plan.catalogue.messages import message, payload_schemas, shared_schemas
from migrate.plan.catalogue.protocols import Action, Protocol, address, protocol
from migrate.plan.check import schema_problems
from migrate.plan.plan import Plan
from migrate.plan.problem import PlanProblems

VERSION = "3.0.0"
_SHOWN = 12  # digits of the plan's digest: ample for telling versions of one plan apart


def document(plan: Plan) -> dict[str, Any]:
    """The AsyncAPI document. Equal plans give equal documents, members in the same order.

    Raises PlanProblems where a schema is none.
    """
    problems = [problem for flow in plan.flows.values() for problem in schema_problems(flow)]
    if problems:
        raise PlanProblems(plan.file, problems)
    bus = protocol(plan.bus.kind)
    found = channels(plan)
    arrivals = {one.message: one for channel in found for one in channel.arrivals}
    claims = plan.model.bus[plan.bus.name].claims is not None
    return {
        "asyncapi": VERSION,
        "id": f"urn:isb-migrate:{plan.namespace}",
        "info": _info(plan),
        "defaultContentType": "application/json",
        "servers": {plan.bus.name: _server(plan, bus)},
        "channels": {channel.id: _channel(plan, bus, channel) for channel in found},
        "operations": _operations(bus, found),
        "components": {
            "messages": {name: message(plan, bus, one) for name, one in arrivals.items()},
            "schemas": {
                **shared_schemas(bus.naming, arrivals.values(), claims=claims),
                **payload_schemas(one.output for one in arrivals.values() if one.output),
            },
            "tags": {
                name: {"name": name, "description": f"Flow `{name}`."}
                for name in dict.fromkeys(one.flow.name for one in arrivals.values())
            },
        },
    }


def document_bytes(document: Mapping[str, Any]) -> bytes:
    """The document as JSON in UTF-8, members in their order, with a final newline."""
    return (json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode()


def _info(plan: Plan) -> dict[str, Any]:
    return {
        "title": plan.name,
        "version": plan.digest[:_SHOWN],
        "description": (
            f"What plan `{plan.name}` migrates from the legacy service bus to its new bus, by "
            "off-ramp and lane. The version is the beginning of the plan's digest: it changes "
            "when what the plan does changes. Of a flow's fate rules the first that holds decides."
        ),
        "x-namespace": plan.namespace,
        "x-environment": plan.model.plan.environment,
        "x-marking": plan.marking,
        "x-plan-digest": plan.digest,
    }


def _server(plan: Plan, bus: Protocol) -> dict[str, Any]:
    found: dict[str, Any] = {
        "host": "{host}",
        "protocol": bus.name,
        "title": bus.what,
        "description": (
            "Where the bus is, and as whom one may reach it, is said by whoever runs it."
        ),
        "variables": {"host": {"description": "Host of the bus, with its port if need be."}},
        "x-kind": plan.bus.kind,
        "x-addressed-by": bus.addressed,
    }
    claims = plan.model.bus[plan.bus.name].claims
    if claims is not None:
        found["x-claims"] = {"above": claims.above, "dataref": claims.base or CLAIM_BASE}
    if bus.naming.note:
        found["x-headers"] = bus.naming.note
    if bus.version is not None:
        found["protocolVersion"] = bus.version
    return found


def _channel(plan: Plan, bus: Protocol, channel: Channel) -> dict[str, Any]:
    options = plan.model.bus[plan.bus.name].options
    place = address(bus, plan.bus.name, options, channel.ramp, channel.lane)
    found: dict[str, Any] = {
        "address": place,
        "title": f"Off-ramp {channel.ramp.name}, lane {channel.lane}",
        "description": _about(channel),
        "servers": [{"$ref": f"#/servers/{plan.bus.name}"}],
        "tags": [
            {"$ref": f"#/components/tags/{flow}"}
            for flow in dict.fromkeys(one.flow.name for one in channel.arrivals)
        ],
        "messages": {
            one.message: {"$ref": f"#/components/messages/{one.message}"}
            for one in channel.arrivals
        },
        "x-off-ramp": _off_ramp(channel.ramp),
        "x-lane": channel.lane,
        "x-arrivals": [_arrival(plan, one) for one in channel.arrivals],
    }
    bindings = bus.channel(place) if place is not None else {}
    return {**found, "bindings": bindings} if bindings else found


def _about(channel: Channel) -> str:
    if channel.ramp.name == ARCHIVE:
        return "What is kept and delivered to no live system."
    return (
        f"The {channel.lane} lane of off-ramp `{channel.ramp.name}`. Messages of one order key "
        "arrive in their order; lanes may overtake each other."
    )


def _off_ramp(ramp: OffRampSpec) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": ramp.name,
        "duplicates": ramp.duplicates,
        "exclusive": ramp.exclusive,
        "observe": ramp.observe,
        "expiry": ramp.expiry,
        "mode": ramp.mode,
    }
    if ramp.messages_per_s is not None:
        found["rate"] = {"messages_per_s": ramp.messages_per_s}
    return found


def _arrival(plan: Plan, arrival: Arrival) -> dict[str, Any]:
    """Where the messages come from; conditions are SQL, as the plan has them."""
    source = arrival.flow.source
    store = plan.model.store[source.store]
    output = arrival.output
    found: dict[str, Any] = {
        "message": {"$ref": f"#/components/messages/{arrival.message}"},
        "flow": arrival.flow.name,
        "output": output.name if output else None,
        "type": output.type if output else None,
        "store": {"name": source.store, "kind": store.kind, "from": source.from_},
        "rules": [
            _stated(rule=rule.rule, when=rule.when, authority=rule.authority)
            for rule in arrival.rules
        ],
        "when": output.when if output else None,
        "routes": _ways(arrival.ways),
        "acknowledged": "not delivered again" if source.delivered and output else None,
    }
    return _stated(**found)


def _ways(ways: Iterable[Way]) -> list[dict[str, Any]] | None:
    """Nothing where there is no condition."""
    found = [_stated(when=way.when, unless=list(way.unless) or None) for way in ways]
    return found if any(found) else None


def _stated(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _operations(bus: Protocol, found: Iterable[Channel]) -> dict[str, Any]:
    """MetIP sends on every channel; consumers receive on every one but the archive's."""
    every: dict[str, Any] = {}
    for channel in found:
        actions: tuple[Action, ...] = ("send", "receive")
        for action in actions[: 1 if channel.ramp.name == ARCHIVE else 2]:
            every[f"{action}.{channel.id}"] = _operation(bus, channel, action)
    return every


def _operation(bus: Protocol, channel: Channel, action: Action) -> dict[str, Any]:
    who = "The new bus sends to" if action == "send" else "Its consumers receive from"
    found: dict[str, Any] = {
        "action": action,
        "title": f"{who} {channel.ramp.name}, lane {channel.lane}",
        "channel": {"$ref": f"#/channels/{channel.id}"},
        "tags": [
            {"$ref": f"#/components/tags/{flow}"}
            for flow in dict.fromkeys(one.flow.name for one in channel.arrivals)
        ],
        "messages": [
            {"$ref": f"#/channels/{channel.id}/messages/{one.message}"} for one in channel.arrivals
        ],
    }
    bindings = bus.operation(action)
    return {**found, "bindings": bindings} if bindings else found
