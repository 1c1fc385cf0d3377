"""RabbitMQ's `definitions.json` (`rabbitmqctl export_definitions`, `/api/definitions`) as rules.

A message enters at the exchange it was published to, with its routing key and those that its
headers `CC` and `BCC` add. Exchanges hand it on to the queues and exchanges bound to them; where an
exchange finds nothing, its alternate exchange gets it. Sources: the guides to exchanges, to
exchange-to-exchange bindings, alternate exchanges and sender-selected distribution of
rabbitmq.com; `rabbit_exchange.erl` for the order of things.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from migrate.legacy.bindings import SENT, HeadersHold, KeyIs, KeyMatches
from migrate.legacy.conditions import Always
from migrate.legacy.errors import BadRules
from migrate.legacy.model import Condition, Endpoint, Entry, Rule, Topology
from migrate.legacy.values import Message, text_of

EXCHANGE = "rabbitmq.exchange"
DEFAULT = "(default exchange)"
ALTERNATE = "alternate-exchange"
_PREDECLARED = {
    "amq.direct": "direct",
    "amq.fanout": "fanout",
    "amq.topic": "topic",
    "amq.headers": "headers",
    "amq.match": "headers",
}
_KNOWN = ("direct", "fanout", "topic", "headers")

Json = Mapping[str, Any]


def read_definitions(text: str, vhost: str) -> Topology:
    """The routing of one virtual host; queues are endpoints under their own names.

    Raises BadRules for what is no such file, and for exchanges whose type routes in a way that
    definitions do not tell.
    """
    found = _parsed(text)
    exchanges = _exchanges(found, vhost)
    queues = [str(each["name"]) for each in _of(found, "queues", vhost)]
    bindings = _of(found, "bindings", vhost)
    rules = [_bound(each, exchanges, queues) for each in bindings if each["source"]]
    rules += [Rule(f"{DEFAULT} → {name}", _exchange(""), name, KeyIs(name)) for name in queues]
    return Topology(
        [Endpoint(name) for name in queues],
        rules,
        Entry(SENT | {EXCHANGE}, _entered),
        otherwise=dict(_alternates(found, exchanges, vhost)),
    )


def _parsed(text: str) -> Json:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise BadRules("definitions", f"is no JSON ({type(error).__name__})") from None
    if not isinstance(found, dict) or not isinstance(found.get("bindings"), list):
        raise BadRules(
            "definitions",
            "is no export of definitions: it has no bindings",
            "rabbitmqctl export_definitions FILE, or /api/definitions of the management plugin",
        )
    return found


def _of(found: Json, part: str, vhost: str) -> list[Json]:
    """What a part says of one virtual host; an export of a single one does not name it."""
    entries = found.get(part, [])
    if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
        raise BadRules(part, "is no list of objects")
    own = [each for each in entries if each.get("vhost", vhost) == vhost]
    needed = _NEEDED[part]
    for number, each in enumerate(own):
        if missing := [name for name in needed if not isinstance(each.get(name), str)]:
            raise BadRules(f"{part}[{number}]", f"has no {missing[0]}")
    return own


_NEEDED = {
    "exchanges": ("name", "type"),
    "queues": ("name",),
    "bindings": ("source", "destination", "destination_type"),
    "policies": ("name", "pattern"),
}


def _exchange(name: str) -> str:
    """The node of an exchange; a queue of the same name is another node."""
    return f"exchange\0{name}"


def _entered(message: Message) -> str | None:
    name = text_of(message.get(EXCHANGE))
    return None if name is None else _exchange(name)


def _exchanges(found: Json, vhost: str) -> dict[str, str]:
    """Name → type."""
    own = {str(each["name"]): str(each["type"]) for each in _of(found, "exchanges", vhost)}
    return {**_PREDECLARED, **own}


def _bound(binding: Json, exchanges: Mapping[str, str], queues: Sequence[str]) -> Rule:
    source, target = str(binding["source"]), str(binding["destination"])
    key = str(binding.get("routing_key", ""))
    place = f"binding {source} → {target}"
    if source not in exchanges:
        raise BadRules(place, f'there is no exchange "{source}"')
    to_queue = binding["destination_type"] == "queue"
    if target not in (queues if to_queue else exchanges):
        raise BadRules(place, f'there is no {binding["destination_type"]} "{target}"')
    arguments = binding.get("arguments") or {}
    when = _when(exchanges[source], key, arguments, place)
    said = f"{source} [{_said(exchanges[source], key, arguments)}]"
    node = target if to_queue else _exchange(target)
    return Rule(f"{said} → {target}", _exchange(source), node, when)


def _when(kind: str, key: str, arguments: Json, place: str) -> Condition:
    if kind == "fanout":
        return Always()
    if kind == "direct":
        return KeyIs(key)
    if kind == "topic":
        return KeyMatches(key)
    if kind == "headers":
        return HeadersHold.of(arguments, place)
    raise BadRules(
        place,
        f"definitions do not tell where an exchange of type {kind} sends a message",
        f"known are {', '.join(_KNOWN)}; route what enters there by a table of rules",
    )


def _said(kind: str, key: str, arguments: Json) -> str:
    if kind != "headers":
        return "" if kind == "fanout" else key
    given = ", ".join(f"{name}={value}" for name, value in sorted(arguments.items()))
    return given or "no arguments"


def _alternates(
    found: Json, exchanges: Mapping[str, str], vhost: str
) -> Iterator[tuple[str, Rule]]:
    """What stands in for the rules of an exchange none of which applies: its own argument, or
    that of the policy of highest priority that matches its name."""
    policies = [
        policy
        for policy in _of(found, "policies", vhost)
        if policy.get("apply-to", "all") in ("all", "exchanges")
    ]
    arguments = {
        str(each["name"]): each.get("arguments") or {} for each in _of(found, "exchanges", vhost)
    }
    for name in exchanges:
        target = arguments.get(name, {}).get(ALTERNATE) or _by_policy(policies, name)
        if target is not None and str(target) in exchanges:
            node, there = _exchange(name), _exchange(str(target))
            yield node, Rule(f"{name} → {target} (alternate)", node, there, Always())


def _by_policy(policies: Sequence[Json], exchange: str) -> str | None:
    best: Json | None = None
    for policy in policies:
        if _matches(str(policy["pattern"]), exchange) and (
            best is None or policy.get("priority", 0) > best.get("priority", 0)
        ):
            best = policy
    value = None if best is None else (best.get("definition") or {}).get(ALTERNATE)
    return None if value is None else str(value)


def _matches(pattern: str, name: str) -> bool:
    try:
        return re.search(pattern, name) is not None
    except re.error:
        raise BadRules("policies", f"a pattern cannot be read here: {pattern}") from None
