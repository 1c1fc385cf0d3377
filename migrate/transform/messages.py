"""Messages put together: envelope, body, digest, deliveries."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from migrate.core.flow import ARCHIVE, Envelope, FlowSpec
from migrate.core.identity import message_digest, message_id
from migrate.core.schema import ATTRIBUTE, DELIVERY, MESSAGE
from migrate.formats.envelope import (
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
    particulars: Particulars
    body: bytes
    deliveries: tuple[Delivery, ...]


class Maker:
    """Makes the messages of one flow."""

    def __init__(self, flow: FlowSpec, envelope: Envelope) -> None:
        self._flow = flow
        self._namespace = envelope.namespace
        self._names = [*(output.name for output in flow.outputs), ARCHIVE]
        self._types = [*(output.type for output in flow.outputs), LEGACY_TYPE]
        uris = [*(output.schema_uri for output in flow.outputs), None]
        self._shared: list[Constants] = [
            constants(envelope, flow.name, type_, uri)
            for type_, uri in zip(self._types, uris, strict=True)
        ]

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
        particulars = self._particulars(facts, row, output, order_key, subject)
        return Made(row, output, particulars, body, deliveries)

    def archived(
        self, facts: Facts, row: int, body: bytes | None, kind: str | None, charset: str | None
    ) -> Made:
        """A legacy message as it is."""
        output = len(self._flow.outputs)
        particulars = self._particulars(facts, row, output, facts.order_key[row])._replace(
            content_type=legacy_content_type(self._flow, kind, charset), body_null=body is None
        )
        deliveries = ((ARCHIVE, self._flow.archive_lane),)
        return Made(row, output, particulars, body or b"", deliveries)

    def _particulars(
        self,
        facts: Facts,
        row: int,
        output: int,
        order_key: str | None,
        subject: str | None = None,
    ) -> Particulars:
        legacy_id = facts.legacy_id[row]
        return Particulars(
            message_id(self._namespace, self._flow.name, legacy_id, self._names[output]),
            legacy_id,
            facts.position[row],
            subject,
            facts.time[row],
            order_key,
            facts.correlation_id[row],
            facts.expires[row],
        )

    def table(self, facts: Facts, made: list[Made]) -> pa.Table:
        """Messages as a table in core.schema.MESSAGE, in the order given."""
        envelopes, digests = self._envelopes(made)
        rows = [each.row for each in made]
        positions = pa.array([each.particulars.position for each in made], pa.int64())
        columns = {
            "flow": pa.repeat(pa.scalar(self._flow.name), len(made)),
            "position": positions,
            "output": [self._names[each.output] for each in made],
            "ordinal": pa.repeat(pa.scalar(0, pa.int32()), len(made)),
            "message_id": [each.particulars.message_id for each in made],
            "type": [self._types[each.output] for each in made],
            "order_key": [each.particulars.order_key for each in made],
            "sequence": positions,
            "correlation_id": [each.particulars.correlation_id for each in made],
            "attributes": envelopes,
            "body": [each.body for each in made],
            "digest": digests,
            "deliveries": _deliveries(made),
            "legacy_id": [each.particulars.legacy_id for each in made],
            "record_digest": [facts.record_digest[row] for row in rows],
        }
        arrays = [_array(columns[field.name], field.type) for field in MESSAGE]
        return pa.Table.from_arrays(arrays, schema=MESSAGE)

    def _envelopes(self, made: list[Made]) -> tuple[pa.Array, list[bytes]]:
        """Attributes and digest of every message; pairs are built and dropped one by one."""
        lengths: list[int] = []
        names: list[str] = []
        values: list[str] = []
        digests: list[bytes] = []
        for each in made:
            pairs = attributes(self._shared[each.output], each.particulars)
            digests.append(message_digest(pairs, each.body))
            lengths.append(len(pairs))
            some_names, some_values = zip(*pairs, strict=True)
            names += some_names
            values += some_values
        return _lists(lengths, names, values, ATTRIBUTE), digests


def _deliveries(made: list[Made]) -> pa.Array:
    lengths = [len(each.deliveries) for each in made]
    destinations = [destination for each in made for destination, _ in each.deliveries]
    lanes = [lane for each in made for _, lane in each.deliveries]
    return _lists(lengths, destinations, lanes, DELIVERY)


def _array(values: list[object] | pa.Array, kind: pa.DataType) -> pa.Array:
    return values if isinstance(values, pa.Array) else pa.array(values, kind)


def _lists(
    lengths: list[int], firsts: list[str], seconds: list[str], pair: pa.DataType
) -> pa.Array:
    """Lists of pairs as list<struct>, without a Python object a struct."""
    offsets = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    columns = [pa.array(firsts, pa.string()), pa.array(seconds, pa.string())]
    structs = pa.StructArray.from_arrays(columns, fields=list(pair))
    return pa.ListArray.from_arrays(pa.array(offsets), structs)
