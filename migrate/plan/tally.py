"""Counting what records are as they pass by: in bounded memory, and no value of a payload."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from migrate.core.clock import rfc3339
from migrate.core.flow import PayloadSpec
from migrate.core.reasons import Reason
from migrate.transform.payload import payload_reader
from migrate.transform.payload.port import Body, Refused

MOST_VALUES = 50
"""More distinct values than this are no types, priorities or states, and are not shown."""

_LONGEST = 64
_DESTINATIONS = (
    *("activemq.originaldestination", "jmsdestination", "destination", "queue", "topic"),
    *("channel", "endpoint", "group_key"),
)
"""Headers that say where a message was going; the first that a record has counts."""

_COLUMNS = {"types": "message_type", "priorities": "priority", "states": "status"}


@dataclass(slots=True)
class Values:
    """How often each value of a structural column occurs; `too_many`: they are not structural."""

    counts: Counter[str] = field(default_factory=Counter)
    too_many: bool = False

    def add(self, value: str, number: int = 1) -> None:
        """Count a value some more times."""
        if self.too_many:
            return
        self.counts[value] += number
        if len(self.counts) > MOST_VALUES or len(value) > _LONGEST:
            self.counts.clear()
            self.too_many = True

    def shown(self) -> dict[str, int] | None:
        """Values with their numbers: the commonest first, numbers in their order; None where they
        are not shown."""
        if self.too_many:
            return None
        if all(re.fullmatch("-?[0-9]+", value) for value in self.counts):
            return dict(sorted(self.counts.items(), key=lambda one: int(one[0])))
        return dict(self.counts.most_common())


class Tally:
    """Everything an inventory says of a container's records."""

    def __init__(self) -> None:
        self.records = 0
        self.bytes = 0
        self.undecodable = 0
        self.reasons: Counter[str] = Counter()
        self.values = {name: Values() for name in (*_COLUMNS, "destinations")}
        self._oldest: datetime | None = None
        self._newest: datetime | None = None

    def add(self, table: pa.Table, payload: PayloadSpec | None) -> None:
        """Count a table in core.schema.LEGACY; `payload`: how a plan says its bodies are read."""
        self.records += table.num_rows
        self.bytes += pc.sum(pc.binary_length(table.column("body"))).as_py() or 0
        for name, column in _COLUMNS.items():
            for each in pc.value_counts(table.column(column).drop_null()).to_pylist():
                self.values[name].add(str(each["values"]), each["counts"])
        self._add_times(table)
        self._add_destinations(table)
        self._add_problems(table, payload)

    def written(self) -> tuple[str | None, str | None]:
        """Oldest and newest `created_at`, RFC 3339."""
        return tuple(  # type: ignore[return-value]
            None if moment is None else rfc3339(moment) for moment in (self._oldest, self._newest)
        )

    def _add_times(self, table: pa.Table) -> None:
        ends = pc.min_max(table.column("created_at")).as_py()
        if ends["min"] is not None:
            self._oldest = min(filter(None, (self._oldest, ends["min"])))
            self._newest = max(filter(None, (self._newest, ends["max"])))

    def _add_destinations(self, table: pa.Table) -> None:
        column = table.column("headers")
        if column.null_count == len(column):
            return
        for headers in column.to_pylist():
            named = {each["name"].lower(): each["value"] for each in headers or ()}
            found = next((named[name] for name in _DESTINATIONS if named.get(name)), None)
            if found is not None:
                self.values["destinations"].add(found)

    def _add_problems(self, table: pa.Table, payload: PayloadSpec | None) -> None:
        """Records the store could not read, and bodies that are not what the plan says."""
        problems = table.column("problem").to_pylist()
        refused = _refused(table, payload) if payload is not None and payload.fields else {}
        for row, problem in enumerate(problems):
            reason = problem or refused.get(row)
            if reason is not None:
                self.undecodable += 1
                self.reasons[reason] += 1


def _refused(table: pa.Table, payload: PayloadSpec) -> Mapping[int, str]:
    """Rows whose body the payload's reader refuses, with the reason."""
    reader = payload_reader(payload)
    found: dict[int, str] = {}
    names = ("body", "body_kind", "charset", "headers")
    columns = (table.column(name).to_pylist() for name in names)
    for row, (data, kind, charset, headers) in enumerate(zip(*columns, strict=True)):
        carried = tuple((each["name"], each["value"]) for each in headers or ())
        try:
            reader.read(Body(data, kind, charset, carried))
        except Refused as refused:
            if refused.reason is not Reason.FIELD_AMBIGUOUS:
                found[row] = refused.reason.value
    return found
