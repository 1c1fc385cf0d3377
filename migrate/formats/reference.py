"""docs/reference/formats.md, written from the schemas, their examples and the envelope."""

import json
from collections.abc import Iterator

from migrate.formats.catalogue import examples, refused_examples, schema_text, schema_types
from migrate.formats.compat.claim import Claim
from migrate.formats.compat.load import backward, before
from migrate.formats.describe import members
from migrate.formats.envelope_schema import ATTRIBUTES, Attribute

_EXTENSIONS = {
    "correlationid": "CloudEvents, Correlation",
    "expirytime": "CloudEvents, Expiry Time",
    "sequence": "CloudEvents, Sequence",
}
"""Attributes that an official extension defines."""

_INTRODUCTION = """\
# Message formats

Generated from `migrate/formats`.

A message on the new bus is a CloudEvent: attributes that say what it is, and a body in a format
of its own. `isb-migrate formats list` lists the formats in the box, `show TYPE` shows one, and a
plan may bring others (`schema = "file.json"`).

## The envelope

| attribute | always | defined by | meaning |
| --- | --- | --- | --- |
"""

_BINDINGS = """
What has no value is left out. Names keep CloudEvents' rule: lower-case letters and digits, a
letter first. The retention class is no attribute: it is the record's, and stands in every body
as `retentionClass`.

## On each bus

| bus | attribute `id` | content type | values |
| --- | --- | --- | --- |
| AMQP (RabbitMQ) | application property `cloudEvents_id` | property `content-type` | text |
| NATS | header `ce-id` | header `ce-datacontenttype` | percent-encoded |
| Kafka | header `ce_id` | header `content-type` | UTF-8 |
| SQL, embedded | member `ce_id` of the JSON in `headers` | member `content-type` | JSON text |

The first three are CloudEvents' own bindings; tables have none, so theirs has the names of Kafka's.
On AMQP 0-9-1 an application property is an entry of the table `headers`, which RabbitMQ shows as
an application property to a client of AMQP 1.0.

- **Structured mode** (`mode = "structured"` of an off-ramp) puts everything into one document,
  `application/cloudevents+json`. A JSON body stands under `data` only where writing the parsed
  value again gives the very same bytes, no number is beyond ±2^53 or has a fraction, and it is
  nested less than some 200 deep and more than a bare `null`; else, and for every other body, under
  `data_base64`. An absent body, or one that lies in a claim store, has neither. The content type is
  the header `Content-Type` on NATS, and where binary mode has it on other buses; ids and runs stand
  beside the document as `migration-id` and `migration-run`.
  [More on it](../howto/structured-mode.md).
- **NATS** values are encoded by the rule of the HTTP binding. What is left is printable ASCII
  without spaces: a line end in a legacy key cannot end its header, and no value becomes another
  header. Every name starts with `ce-`, so none of the server's own `Nats-` headers can come of it.
- **Kafka** values are never null: a record without a value is a tombstone to a compacted topic.
- A content type that a bus's own field cannot hold (longer than 255 bytes, beyond printable ASCII,
  or one that would be taken for the mark of structured mode) travels as the attribute
  `datacontenttype`.
- Reading gives back the very envelope and the very bytes of the body. Headers that are no
  attributes are set apart, an attribute that is there twice is an error.

The official CloudEvents SDK reads every example and every message of a rehearsal, on each bus and
in both modes, as part of the tests. It has no binding for NATS; its HTTP binding reads those
headers, by the same rule.

## What CloudEvents does not allow

CloudEvents forbids control characters and Unicode's noncharacters in a value. A legacy key may hold
them; it is carried as it is, escaped where the bus needs it, because a changed key is a changed
message. A consumer that is strict about it can refuse such a message; none is altered for it.
An empty `subject` or `correlationid` is left out: CloudEvents knows them filled or not at all.
`time` and `expirytime` are always RFC 3339 in UTC, since an unreadable legacy time is quarantined.
Half a surrogate pair is no Unicode text and reaches no envelope.

## Versions

A published version does not come to mean something else: a document that was valid stays valid,
one that was refused stays refused. A change is a new version, a file of its own.

`isb-migrate formats compat OLD NEW` says whether NEW may take the place of OLD: *backward*, what
OLD accepts, NEW accepts (receivers may move first); *forward*, the other way round (senders may).
"Yes" is proven keyword by keyword; "no" is shown by a document; what can be neither is "cannot
tell", with keyword and place (exit code 6), and never taken for a yes. Formats such as `date` count
as demands. Combinations (`oneOf`, `not`, `if`, `contains`, `unevaluatedProperties` and the like)
and patterns are compared word for word: changed ones are "cannot tell" unless a document settles
it.
Schemas of dialects before 2020-12, and such with `$anchor` or parts of their own `$id`, are
refused.

## Members

Records are built of the entities of the POLE data standards: Person, Object, Location, Event; the
schemas say which in `x-pole`. Every record has its protective marking and its retention class.
Decimals and long digits are text, as they were written. What is not known is left out; nulls are
refused. UPRN and USRN are names made of digits.
"""


def markdown() -> str:
    """The whole page."""
    lines = [_INTRODUCTION.rstrip("\n")]
    lines += [_attribute(each) for each in ATTRIBUTES]
    lines.append(_BINDINGS.rstrip("\n"))
    for type_ in schema_types():
        lines += ["", *_format(type_)]
    return "\n".join(lines) + "\n"


def _attribute(each: Attribute) -> str:
    origin = "CloudEvents" if each.core else _EXTENSIONS.get(each.name, "isb-migrate")
    return f"| `{each.name}` | {'yes' if each.always else ''} | {origin} | {each.meaning} |"


def _format(type_: str) -> Iterator[str]:
    schema = json.loads(schema_text(type_))
    yield f"## `{type_}`"
    yield ""
    yield f"{schema['description']} `{schema['$id']}`, {_article(schema['x-pole'])}."
    yield ""
    yield "| member | kind | must | limits | entity | meaning |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for each in members(schema):
        must = "yes" if each.required else ""
        limits = f"`{each.limits}`" if "pattern" in each.limits else each.limits
        cells = (f"`{each.place}`", each.kind, must, limits, each.pole, each.description)
        yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"
    yield ""
    yield f"Examples: {', '.join(examples(type_))}. Refused:"
    yield ""
    for name, refused in refused_examples(type_).items():
        yield f"- {name} (`{refused.place}`): {refused.why}"
    earlier = before(type_)
    if earlier:
        yield ""
        yield from _change(f"After {earlier}, backward", backward(earlier, type_))
        yield from _change(f"After {earlier}, forward", backward(type_, earlier))


def _change(head: str, found: Claim) -> Iterator[str]:
    yield f"- {head}: {found.answer}"
    for each in found.reasons:
        yield f"  - `{each.place}` {each.keyword}: {each.b} in {found.b}, {each.a} in {found.a}"


def _article(entity: str) -> str:
    return f"{'an' if entity[0] in 'EO' else 'a'} {entity}"
