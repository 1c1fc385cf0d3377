"""Legacy columns that a payload field fills where the store has null."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pyarrow as pa

from migrate.core.clock import UnreadableTime, instant
from migrate.core.errors import PlanError
from migrate.core.flow import FlowSpec, TimeSpec
from migrate.core.reasons import Reason
from migrate.core.schema import LEGACY
from migrate.transform.payload.port import Found, Refused
from migrate.transform.relation import LEGACY_COLUMNS, filled

TEXTS = ("message_type", "correlation_id", "order_key", "status")
INTEGERS = ("priority", "attempts")
TIMES = ("created_at", "expires_at")
_LARGEST = 2**63


def overlays(flow: FlowSpec) -> list["Overlay"]:
    """The flow's overlays. Raises PlanError for a column or field that cannot take part."""
    fields = {
        field.name: place for place, field in enumerate(flow.payload.fields) if not field.many
    }
    times = dict(flow.source.times)
    found = []
    for column, field in flow.payload.overlay:
        if column not in (*TEXTS, *INTEGERS, *TIMES):
            raise PlanError("is no column that a field may fill", key=f"overlay.{column}")
        if field not in fields:
            raise PlanError(f'there is no single field "{field}"', key=f"overlay.{column}")
        found.append(Overlay(column, fields[field], times.get(column, TimeSpec())))
    return found


class Overlay:
    """One overlay of a flow: `column` filled from field number `field`."""

    def __init__(self, column: str, field: int, time: TimeSpec) -> None:
        self.column = column
        self._field = field
        self._convert: Callable[[str], Any] = str
        if column in TIMES:
            self._convert = partial(instant, spec=time)
        elif column in INTEGERS:
            self._convert = _integer

    def over(self, relation: pa.Table) -> "Layer":
        """A layer for one relation."""
        return Layer(self, relation.column(self.column).is_null().to_pylist())

    def value(self, found: Found) -> tuple[str | None, Any]:
        """The field's text and what the column makes of it. Raises Refused (place: the column)."""
        text = found[0][self._field]
        if not isinstance(text, str) or not text:
            return None, None
        try:
            return text, self._convert(text)
        except UnreadableTime as error:
            raise Refused(error.reason, self.column) from None
        except ValueError:
            raise Refused(Reason.COLUMN_INVALID, self.column) from None


class Layer:
    """What an overlay puts over one relation's rows."""

    def __init__(self, overlay: Overlay, wanted: list[bool]) -> None:
        self._overlay = overlay
        self._wanted = wanted
        self._texts: list[str | None] = [None] * len(wanted)
        self._values: list[Any] = [None] * len(wanted)

    def add(self, row: int, found: Found) -> None:
        """Take a row's field, if its column is null. Raises Refused."""
        if self._wanted[row]:
            self._texts[row], self._values[row] = self._overlay.value(found)

    def laid(self, relation: pa.Table) -> pa.Table:
        """The relation with the column filled, and its text with it."""
        column = self._overlay.column
        values = pa.array(self._values, LEGACY.field(column).type)
        relation = filled(relation, column, values)
        if f"{column}_text" not in LEGACY_COLUMNS:
            return relation
        return filled(relation, f"{column}_text", pa.array(self._texts, pa.string()))


def _integer(text: str) -> int:
    digits = text.removeprefix("-").removeprefix("+")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 19):
        raise ValueError
    value = int(text)
    if not -_LARGEST <= value < _LARGEST:
        raise ValueError
    return value
