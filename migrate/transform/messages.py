"""Messages put together: envelope, body, digest, deliveries."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from migrate.core.flow import ARCHIVE, Envelope, FlowSpec
from migrate.core.identity import message_digest, message_id
from migrate.core.schema import ATTRIBUTE, DELIVERY, MESSAGE
from migrate.formats.envelope import (
    JSON,
    Constants,
    Particulars,
    attributes,
    constants,
    legacy_content_type,
)
from migrate.transform.facts import Facts
from migrate.transform.routing import Delivery

LEGACY_TYPE = "legacy-message/1"


class Made(NamedTuple):
    """One message on its way into a segment. `output` counts outputs; archived ones come last."""

    row: int
    output: int
    name: str
    type: str
    message_id: str
    order_key: str | None
    attributes: list[tuple[str, str]]
    body: bytes
    deliveries: tuple[Delivery, ...]


@dataclass(slots=True)
class Maker:
    """Makes the messages of one flow."""

    flow: FlowSpec
    envelope: Envelope
    _shared: list[Constants] = field(init=False)
    _archive: Constants = field(init=False)

    def __post_init__(self) -> None:
        self._shared = [
            constants(self.envelope, self.flow.name, output.type, output.schema_uri)
            for output in self.flow.outputs
        ]
        self._archive = constants(self.envelope, self.flow.name, LEGACY_TYPE, None)

    def replayed(
        self,
        facts: Facts,
        row: int,
        output: int,
        body: bytes,
        deliveries: tuple[Delivery, ...],
        subject: str | None,
        order_key: str | None,
    ) -> Made:
        """A mapped message."""
        spec = self.flow.outputs[output]
        particulars = self._particulars(facts, row, spec.name, order_key)
        return Made(
            row=row,
            output=output,
            name=spec.name,
            type=spec.type,
            message_id=particulars.message_id,
            order_key=order_key,
            attributes=attributes(self._shared[output], particulars._replace(subject=subject)),
            body=body,
            deliveries=deliveries,
        )

    def archived(
        self, facts: Facts, row: int, body: bytes | None, kind: str | None, charset: str | None
    ) -> Made:
        """A legacy message as it is."""
        particulars = self._particulars(facts, row, ARCHIVE, facts.order_key[row])._replace(
            content_type=legacy_content_type(self.flow, kind, charset), body_null=body is None
        )
        return Made(
            row=row,
            output=len(self.flow.outputs),
            name=ARCHIVE,
            type=LEGACY_TYPE,
            message_id=particulars.message_id,
            order_key=facts.order_key[row],
            attributes=attributes(self._archive, particulars),
            body=body or b"",
            deliveries=((ARCHIVE, self.flow.archive_lane),),
        )

    def _particulars(
        self, facts: Facts, row: int, output: str, order_key: str | None
    ) -> Particulars:
        legacy_id = facts.legacy_id[row]
        return Particulars(
            message_id=message_id(self.envelope.namespace, self.flow.name, legacy_id, output),
            legacy_id=legacy_id,
            position=facts.position[row],
            time=facts.time[row],
            order_key=order_key,
            correlation_id=facts.correlation_id[row],
            expires=facts.expires[row],
            content_type=JSON,
        )


def message_table(flow: str, facts: Facts, made: list[Made]) -> pa.Table:
    """Messages as a table in core.schema.MESSAGE, in the order given."""
    rows = [each.row for each in made]
    positions = [facts.position[row] for row in rows]
    columns = {
        "flow": pa.repeat(pa.scalar(flow), len(made)),
        "position": positions,
        "output": [each.name for each in made],
        "ordinal": pa.repeat(pa.scalar(0, pa.int32()), len(made)),
        "message_id": [each.message_id for each in made],
        "type": [each.type for each in made],
        "order_key": [each.order_key for each in made],
        "sequence": positions,
        "correlation_id": [facts.correlation_id[row] for row in rows],
        "attributes": _lists([each.attributes for each in made], ATTRIBUTE),
        "body": [each.body for each in made],
        "digest": [message_digest(each.attributes, each.body) for each in made],
        "deliveries": _lists([each.deliveries for each in made], DELIVERY),
        "legacy_id": [facts.legacy_id[row] for row in rows],
        "record_digest": [facts.record_digest[row] for row in rows],
    }
    arrays = [_array(columns[field.name], field.type) for field in MESSAGE]
    return pa.Table.from_arrays(arrays, schema=MESSAGE)


def _array(values: list[object] | pa.Array, kind: pa.DataType) -> pa.Array:
    return values if isinstance(values, pa.Array) else pa.array(values, kind)


def _lists(
    rows: list[list[tuple[str, str]]] | list[tuple[Delivery, ...]], pair: pa.DataType
) -> pa.Array:
    """Lists of pairs as list<struct>, without a Python object a struct."""
    offsets = np.zeros(len(rows) + 1, np.int32)
    np.cumsum([len(row) for row in rows], out=offsets[1:])
    firsts = pa.array([first for row in rows for first, _ in row], pa.string())
    seconds = pa.array([second for row in rows for _, second in row], pa.string())
    structs = pa.StructArray.from_arrays([firsts, seconds], fields=list(pair))
    return pa.ListArray.from_arrays(pa.array(offsets), structs)
