"""The catalogue as one self-contained page, without scripts, for those who will receive messages.

It is not a report of a run: it shows an AsyncAPI document as `migrate.plan.catalogue`
makes it, and nothing that does not stand in there.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reports.fields import Field, fields, limits
from reports.show import counted, grouped
from reports.styling import styled
from reports.templating import environment

Json = Mapping[str, Any]

_ARCHIVE = "archive"
MOST_EXAMPLES = 3
MOST_FIELDS = 1000
_WORDS = {
    "duplicates": {
        "message_id": "dropped by the receiver, by message id",
        "unsafe": "not dropped by the receiver",
    },
    "exclusive": {"True": "nobody else writes here", "False": "others write here too"},
    "observe": {
        "direct": "the witness reads it",
        "tap": "the witness reads a copy",
        "counts": "the witness sees numbers only",
    },
    "mode": {
        "binary": "a body, and headers that describe it",
        "structured": "one JSON event, with all its headers inside",
    },
    "expiry": {
        "absolute": "at the instant it had",
        "restart": "time to live counted anew",
        "none": "never",
    },
}
_TITLES = {
    "duplicates": "Repeats",
    "exclusive": "Writers",
    "observe": "Observed",
    "mode": "A message is",
    "expiry": "Expires",
}


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that has to hold: in words, and as the plan writes it ("" for words alone)."""

    words: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One kind of message in one lane. `format`: the id of its format on the page, "" for bytes
    as they were."""

    name: str
    title: str
    format: str
    content_type: str
    flow: str
    store: str
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane of an off-ramp, under its address on the bus."""

    name: str
    address: str
    arrivals: tuple[Arrival, ...]


@dataclass(frozen=True, slots=True)
class Ramp:
    """An off-ramp and its lanes."""

    name: str
    archive: bool
    facts: tuple[tuple[str, str], ...]
    lanes: tuple[Lane, ...]


@dataclass(frozen=True, slots=True)
class Format:
    """A type of message: its fields (`more`: not all of them), and examples as JSON text, each
    with its name or ""."""

    id: str
    title: str
    summary: str
    type: str
    uri: str
    dialect: str
    fields: tuple[Field, ...]
    more: bool
    examples: tuple[tuple[str, str], ...]
    used: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Header:
    """A header of every message; `values`: what it may hold, in words."""

    name: str
    attribute: str
    always: bool
    core: bool
    values: str
    meaning: str


def render(document: Json) -> bytes:
    """The page, UTF-8. Equal documents give equal bytes."""
    info = document["info"]
    formats = tuple(_formats(document))
    ramps = tuple(_ramps(document, {one.type: one.id for one in formats}))
    page = (
        environment()
        .get_template("catalogue.html")
        .render(
            info=info,
            server=next(iter(document["servers"].values())),
            asyncapi=document["asyncapi"],
            ramps=ramps,
            formats=formats,
            headers=tuple(_headers(document)),
            pinned=tuple(_pinned(document)),
            content_type_header=_content_type_header(document),
            modes=_modes(document),
            figures=_figures(ramps, formats),
            **styled(
                ["report.css", "inventory.css", "catalogue.css"], info["x-marking"], info["title"]
            ),
        )
    )
    return page.encode()


def _figures(ramps: tuple[Ramp, ...], formats: tuple[Format, ...]) -> list[tuple[str, str, str]]:
    """(name, number, what else belongs to it)."""
    live = [ramp for ramp in ramps if not ramp.archive]
    lanes = sum(len(ramp.lanes) for ramp in live)
    arrivals = [one for ramp in ramps for lane in ramp.lanes for one in lane.arrivals]
    archived = sum(len(lane.arrivals) for ramp in ramps if ramp.archive for lane in ramp.lanes)
    messages = len({(one.flow, one.name) for one in arrivals if one.format})
    return [
        ("Off-ramps", grouped(len(live)), f"with {counted(lanes, 'lane')}"),
        ("Messages", grouped(messages), f"of {counted(len({a.flow for a in arrivals}), 'flow')}"),
        ("Formats", grouped(len(formats)), "each a JSON Schema"),
        ("Archive", grouped(archived), f"flow{_s(archived)} with messages to keep"),
    ]


def _s(number: int) -> str:
    return "" if number == 1 else "s"


def _ramps(document: Json, formats: Mapping[str, str]) -> Iterator[Ramp]:
    by_ramp: dict[str, list[Json]] = {}
    for channel in document["channels"].values():
        by_ramp.setdefault(channel["x-off-ramp"]["name"], []).append(channel)
    for name, channels in by_ramp.items():
        lanes = tuple(
            Lane(
                channel["x-lane"],
                channel["address"] or "address not told",
                tuple(_arrival(document, one, formats) for one in channel["x-arrivals"]),
            )
            for channel in channels
        )
        yield Ramp(name, name == _ARCHIVE, _facts(channels[0]["x-off-ramp"]), lanes)


def _facts(ramp: Json) -> tuple[tuple[str, str], ...]:
    facts = [(_TITLES[key], words[str(ramp[key])]) for key, words in _WORDS.items()]
    if "rate" in ramp:
        facts.append(("Fed at", f"{ramp['rate']['messages_per_s']:g} messages a second at most"))
    return tuple(facts)


def _arrival(document: Json, arrival: Json, formats: Mapping[str, str]) -> Arrival:
    message = _named(document, arrival["message"])
    store = arrival["store"]
    return Arrival(
        name=message["name"],
        title=message["title"],
        format=formats[arrival["type"]] if "type" in arrival else "",
        content_type=message["contentType"],
        flow=arrival["flow"],
        store=f"{store['name']} ({store['kind']}): {store['from']}",
        conditions=tuple(_conditions(arrival)),
    )


def _conditions(arrival: Json) -> Iterator[Condition]:
    for rule in arrival["rules"]:
        authority = f" ({rule['authority']})" if "authority" in rule else ""
        yield _condition(f"{rule['rule']}{authority}", rule["when"])
    if "when" in arrival:
        yield Condition("and only if", arrival["when"])
    for count, way in enumerate(arrival.get("routes", ())):
        yield from _route(way, "or routed here" if count else "routed here")
    if "acknowledged" in arrival:
        yield Condition("not what the legacy bus shows as acknowledged")


def _route(way: Json, words: str) -> Iterator[Condition]:
    unless = way.get("unless", ())
    if "when" in way:
        yield Condition(f"{words} if", way["when"])
        yield from (Condition("and not", one) for one in unless)
    else:
        each = (f"{words} unless", *("or" for _ in unless))
        yield from (Condition(*one) for one in zip(each, unless, strict=False))


def _condition(words: str, code: str) -> Condition:
    if code.strip().lower() == "true":
        return Condition(f"{words}: every one")
    return Condition(words, code)


def _formats(document: Json) -> Iterator[Format]:
    schemas = document["components"]["schemas"]
    messages = document["components"]["messages"]
    for count, (name, one) in enumerate(
        ((name, one) for name, one in schemas.items() if "x-type" in one), start=1
    ):
        users = [
            (key, message)
            for key, message in messages.items()
            if _data(message).get("$ref") == f"#/components/schemas/{name}"
        ]
        message = users[0][1]
        shown = message.get("examples", [])[:MOST_EXAMPLES]
        place = f"#/components/schemas/{name}/schema"
        found = fields(document, place, MOST_FIELDS + 1)
        yield Format(
            id=f"format-{count}",
            title=message["title"],
            summary=message.get("summary", ""),
            type=one["x-type"],
            uri=one["x-dataschema"],
            dialect=one["schemaFormat"].partition("version=")[2],
            fields=tuple(found[:MOST_FIELDS]),
            more=len(found) > MOST_FIELDS,
            examples=tuple(
                (each.get("name", ""), _pretty(_body(message, each["payload"]))) for each in shown
            ),
            used=tuple(key for key, _ in users),
        )


def _data(message: Json) -> Json:
    """The schema of a message's body, which in structured mode is but a part of its payload."""
    found: Json = message.get("x-data", message["payload"])
    return found


def _body(message: Json, payload: Any) -> Any:
    return payload["data"] if "x-data" in message else payload


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _headers(document: Json) -> Iterator[Header]:
    envelope = _envelope(document)
    for name, one in envelope["properties"].items():
        if "x-attribute" not in one:
            continue
        yield Header(
            name=name,
            attribute=one["x-attribute"],
            always=name in envelope["required"],
            core=one["x-defined-by"] == "CloudEvents",
            values="; ".join(filter(None, (limits(one), _written(one)))),
            meaning=one["description"],
        )


def _envelope(document: Json) -> Json:
    """The headers that messages share; of events alone, the members that they share."""
    schemas = document["components"]["schemas"]
    found: Json = schemas.get("envelope") or schemas["event"]
    return found


def _written(schema: Json) -> str:
    """What a header's text looks like; values are text throughout."""
    if schema.get("format") == "date-time":
        return "RFC 3339 instant"
    return "digits" if schema.get("pattern") == "^[0-9]+$" else ""


def _pinned(document: Json) -> Iterator[tuple[str, str, str, str]]:
    """(flow, CloudEvents type, source, content type) of every message."""
    envelope = _envelope(document)["properties"]
    header = {one["x-attribute"]: name for name, one in envelope.items() if "x-attribute" in one}
    for message in document["components"]["messages"].values():
        payload = message["payload"].get("schema", message["payload"])
        if "properties" in message["headers"]:
            alike = {name: message["headers"]["properties"][header[name]] for name in _ALIKE}
        else:
            alike = payload["properties"]
        yield (*(alike[name]["const"] for name in _ALIKE), message["contentType"])


_ALIKE = ("flow", "type", "source")


def _content_type_header(document: Json) -> bool:
    envelope = _envelope(document)["properties"].values()
    return any(one.get("x-attribute") == "datacontenttype" for one in envelope)


def _modes(document: Json) -> tuple[str, ...]:
    """The content modes that off-ramps have."""
    return tuple(sorted({one["x-off-ramp"]["mode"] for one in document["channels"].values()}))


def _named(document: Json, reference: Json) -> Json:
    found: Json = document["components"]["messages"][reference["$ref"].rpartition("/")[2]]
    return found
