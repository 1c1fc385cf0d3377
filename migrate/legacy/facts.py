"""What rules see of a batch of legacy messages, by the column.

Rules look at few names, and a batch holds few different combinations of their values: each
combination is put to the rules once.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from migrate.legacy.values import Number, Value, text_of, value_of

Made = Callable[[object], Value]

TEXTS = ("message_type", "correlation_id", "order_key", "status", "legacy_id")
_INTEGERS = {"priority": "int", "attempts": "int"}
_TIMES = ("created_at", "expires_at")

JMS = {
    "JMSType": "message_type",
    "JMSPriority": "priority",
    "JMSCorrelationID": "correlation_id",
    "JMSXGroupID": "order_key",
    "JMSTimestamp": "created_at",
    "JMSExpiration": "expires_at",
}
"""JMS header fields and the legacy columns that hold them; times are milliseconds, 0 for none."""

_JMS_OF_ATTEMPTS: dict[str, Made] = {
    "JMSRedelivered": lambda attempts: bool(attempts),
    "JMSXDeliveryCount": lambda attempts: Number("int", int(str(attempts or 0)) + 1),
}
_JMS_DEFAULTS: dict[str, Value] = {"JMSDeliveryMode": "PERSISTENT"}
_JMS_DESTINATION = ("activemq.originalDestination", "JMSDestination", "activemq.container")


class Coded(NamedTuple):
    """A column as codes into its different values."""

    codes: np.ndarray
    values: Sequence[Value]


class Facts:
    """The names that rules look at, and where each is found.

    Looked for in this order: the flow's own constants, another name that the plan gives it, the
    JMS header fields, the legacy columns, the headers.
    """

    def __init__(
        self, names: frozenset[str], constants: Mapping[str, str], aliases: Mapping[str, str]
    ) -> None:
        self.names = tuple(sorted(names))
        self._constants = constants
        self._aliases = aliases

    def combinations(self, legacy: pa.Table) -> tuple[np.ndarray, list[tuple[Value, ...]]]:
        """For each row of a table in core.schema.LEGACY the number of its combination, and what
        each combination's values are, in the order of `names`."""
        headers = _Headers(legacy)
        key = np.zeros(len(legacy), np.int64)
        columns: list[Coded] = []
        for name in self.names:
            column = self._column(legacy, headers, name)
            columns.append(column)
            if len(column.values) > 1:
                _, key = np.unique(key * len(column.values) + column.codes, return_inverse=True)
        _, first, numbers = np.unique(key, return_index=True, return_inverse=True)
        cells = [[column.values[code] for code in column.codes[first]] for column in columns]
        empty: list[tuple[Value, ...]] = [()] * len(first)
        return numbers, list(zip(*cells, strict=True)) if cells else empty

    def _column(self, legacy: pa.Table, headers: "_Headers", name: str) -> Coded:
        if name in self._constants:
            return _constant(len(legacy), self._constants[name])
        name = self._aliases.get(name, name)
        if name in _JMS_OF_ATTEMPTS:
            return _coded(legacy.column("attempts"), _JMS_OF_ATTEMPTS[name])
        if name == "JMSDestination":
            return headers.first(_JMS_DESTINATION, None)
        column = JMS.get(name, name)
        if column in TEXTS:
            return _coded(legacy.column(column), _text)
        if column in _INTEGERS:
            kind = _INTEGERS[column]
            return _coded(legacy.column(column), lambda v: _whole(kind, v))
        if column in _TIMES:
            return _coded(pc.cast(legacy.column(column), pa.int64()), _milliseconds)
        return headers.first((name,), _JMS_DEFAULTS.get(name))


def header_texts(legacy: pa.Table, names: Sequence[str]) -> pa.Array:
    """Of each row the text of the first of these headers that it has, else null; string."""
    found = _Headers(legacy).first(names, None)
    texts = pa.array([text_of(value) for value in found.values], pa.string())
    return texts.take(pa.array(found.codes))


class _Headers:
    """The headers of a batch, laid flat once."""

    def __init__(self, legacy: pa.Table) -> None:
        lists = legacy.column("headers").combine_chunks()
        self._rows = len(legacy)
        self._parents = pc.list_parent_indices(lists).to_numpy()
        flat = lists.flatten()
        self._names, self._kinds, self._values = (flat.field(n) for n in range(3))

    def first(self, names: Sequence[str], otherwise: Value) -> Coded:
        """Of each row the first header of the first of these names that it has."""
        codes = np.zeros(self._rows, np.int64)
        values: list[Value] = [otherwise]
        for name in reversed(names):
            places = np.flatnonzero(np.asarray(pc.equal(self._names, name).fill_null(False)))
            if not len(places):
                continue
            taken = pa.array(places)
            kinds, texts = self._kinds.take(taken), self._values.take(taken)
            pairs = pc.binary_join_element_wise(
                pc.fill_null(kinds, ""),
                pc.if_else(pc.is_null(texts), "0", "1"),
                pc.fill_null(texts, ""),
                "\0",
            ).dictionary_encode()
            start = len(values)
            values += [_header(pair) for pair in pairs.dictionary.to_pylist()]
            # The last assignment to a row is the one that stays: backwards, that is the first.
            order = np.arange(len(places))[::-1]
            codes[self._parents[places[order]]] = start + pairs.indices.to_numpy()[order]
        return Coded(codes, values)


def _header(pair: str) -> Value:
    kind, known, text = pair.split("\0", 2)
    return value_of(kind, text if known == "1" else None)


def _constant(rows: int, value: Value) -> Coded:
    return Coded(np.zeros(rows, np.int64), [value])


def _coded(column: pa.ChunkedArray, made: Made) -> Coded:
    encoded = column.combine_chunks().dictionary_encode()
    values = [made(value) for value in encoded.dictionary.to_pylist()]
    codes = pc.fill_null(encoded.indices, len(values)).to_numpy().astype(np.int64)
    return Coded(codes, [*values, made(None)])


def _text(value: object) -> Value:
    return None if value is None else str(value)


def _whole(kind: str, value: object) -> Value:
    return None if value is None else Number(kind, int(str(value)))


def _milliseconds(value: object) -> Value:
    return Number("long", 0 if value is None else int(str(value)) // 1000)
