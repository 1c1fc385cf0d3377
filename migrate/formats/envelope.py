"""The envelope: CloudEvents 1.0 attributes in binary mode, under their names on the bus.

Values go through verbatim, control characters included, although a strict reader
may refuse them: the new bus says what the old one said. What has no value is left
out, and so are an empty subject and an empty correlation id, which CloudEvents does
not know. The lane and the run's id travel on the bus only: they are no part of a
message's digest.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from migrate.core.flow import Envelope, FlowSpec

JSON = "application/json"
_MEDIA = {
    "xml": "application/xml",
    "json": JSON,
    "csv": "text/csv",
    "fixed": "text/plain",
    "text": "text/plain",
    "row": JSON,
}
_OPAQUE = "application/octet-stream"
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+-]*")


class Particulars(NamedTuple):
    """What one message's envelope says of that message alone. Times are RFC 3339 texts."""

    message_id: str
    legacy_id: str
    position: int
    subject: str | None = None
    time: str | None = None
    order_key: str | None = None
    correlation_id: str | None = None
    expires: str | None = None
    content_type: str = JSON
    body_null: bool = False


@dataclass(frozen=True, slots=True)
class Constants:
    """What all messages of one output share."""

    type: str
    source: str
    flow: str
    environment: str
    marking: str
    data_schema: str | None


def constants(envelope: Envelope, flow: str, type_: str, data_schema: str | None) -> Constants:
    """The shared part of an output's envelopes; `type_` such as `custody-record/2`."""
    return Constants(
        type=f"{envelope.namespace}.{type_.replace('/', '.v')}",
        source=f"urn:isb-migrate:{envelope.namespace}:{flow}",
        flow=flow,
        environment=envelope.environment,
        marking=envelope.marking,
        data_schema=data_schema,
    )


def attributes(shared: Constants, message: Particulars) -> list[tuple[str, str]]:
    """The whole envelope but lane and run id: names and values, sorted by name."""
    every = (
        ("ce_bodynull", "true" if message.body_null else None),
        ("ce_correlationid", message.correlation_id or None),
        ("ce_dataschema", shared.data_schema),
        ("ce_environment", shared.environment or None),
        ("ce_expirytime", message.expires),
        ("ce_flow", shared.flow),
        ("ce_id", message.message_id),
        ("ce_legacyid", message.legacy_id),
        ("ce_marking", shared.marking or None),
        ("ce_orderkey", message.order_key),
        ("ce_sequence", f"{message.position:019d}"),  # compared as text: its extension
        ("ce_source", shared.source),
        ("ce_specversion", "1.0"),
        ("ce_subject", message.subject or None),
        ("ce_time", message.time),
        ("ce_type", shared.type),
        ("content-type", message.content_type),
    )
    return [(name, value) for name, value in every if value is not None]


def bus_headers(
    attributes: Mapping[str, str] | Iterable[tuple[str, str] | Mapping[str, str]],
    lane: str,
    run_id: str,
) -> dict[str, str]:
    """The headers of one delivery: the envelope, its lane and its run; keys sorted.

    `attributes`: a mapping, pairs, or the {name, value} structs of a message segment.
    """
    headers = {"ce_lane": lane, "ce_runid": run_id}
    if isinstance(attributes, Mapping):
        headers.update(attributes)
    else:
        headers.update(
            (each["name"], each["value"]) if isinstance(each, Mapping) else each
            for each in attributes
        )
    return dict(sorted(headers.items()))


def legacy_content_type(flow: FlowSpec, body_kind: str | None, charset: str | None) -> str:
    """The media type of an archived body, with its character set where the store names one."""
    media = _MEDIA["row"] if body_kind == "row" else _MEDIA.get(flow.payload.format, _OPAQUE)
    if media == _OPAQUE or charset is None or not _TOKEN.fullmatch(charset):
        return media
    return f"{media}; charset={charset}"
