"""Fixed-width records: fields by position, in characters."""

import re

from migrate.core.errors import PlanError
from migrate.core.flow import FieldSpec, PayloadSpec
from migrate.core.reasons import Reason
from migrate.transform.payload.charset import charset_of, decoded
from migrate.transform.payload.port import (
    ABSENT,
    Body,
    Found,
    Refused,
    Value,
    bytes_of,
    one_value,
    written,
)

_SPAN = re.compile(r"([0-9]{1,9}):([0-9]{1,9})")


class FixedReader:
    """Reads one line; a selector is `start:end` in characters from 0.

    Padding is kept. A field that starts behind the line's end is absent; one
    that the line's end cuts has what is there (trailing spaces are often dropped).
    """

    def __init__(self, spec: PayloadSpec) -> None:
        self._spec = spec
        self._spans = tuple(_span(field) for field in spec.fields)

    def read(self, body: Body) -> Found:
        """The fields of a line. Raises Refused; a line within the line is malformed."""
        data = bytes_of(body, self._spec)
        line = decoded(data, charset_of(body, self._spec.charset))
        line = line.removesuffix("\n").removesuffix("\r")
        if "\n" in line:
            raise Refused(Reason.PAYLOAD_MALFORMED)
        values: list[Value] = []
        kinds: list[str] = []
        for start, end in self._spans:
            value, kind = written(line[start:end]) if start < len(line) else (None, ABSENT)
            values.append(value)
            kinds.append(kind)
        return values, kinds


def _span(field: FieldSpec) -> tuple[int, int]:
    one_value(field, "fixed")
    match = _SPAN.fullmatch(field.select)
    if match is None or int(match[1]) >= int(match[2]):
        raise PlanError(
            "is no span", key=field.name, hint='"start:end" in characters from 0, such as "0:8"'
        )
    return int(match[1]), int(match[2])
