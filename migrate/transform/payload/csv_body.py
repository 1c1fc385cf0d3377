"""CSV records: fields by the name that the header record gives them."""

import re
from functools import lru_cache

from migrate.core.flow import PayloadSpec
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

HEADER = "csv-header"
DELIMITER = "csv-delimiter"
QUOTE = "csv-quote"


class CsvReader:
    """Reads one record of a CSV file: the body is the record with its line ending.

    The header record comes as the header `csv-header`; `csv-delimiter` and
    `csv-quote` come where they are not `,` and `"`. A record with more or
    fewer fields than the header is malformed.
    """

    def __init__(self, spec: PayloadSpec) -> None:
        for field in spec.fields:
            one_value(field, "csv")
        self._spec = spec

    def read(self, body: Body) -> Found:
        """The fields of a record. Raises Refused."""
        data = bytes_of(body, self._spec)
        text = decoded(data, charset_of(body, self._spec.charset))
        headers = dict(body.headers)
        delimiter, quote = headers.get(DELIMITER) or ",", headers.get(QUOTE) or '"'
        names = _names(headers.get(HEADER), delimiter, quote)
        record = fields(text, delimiter, quote)
        if len(record) != len(names):
            raise Refused(Reason.PAYLOAD_MALFORMED)
        return self._picked(record, names)

    def _picked(self, record: list[str], names: tuple[str, ...]) -> Found:
        values: list[Value] = []
        kinds: list[str] = []
        places = _places(names)
        for field in self._spec.fields:
            place = places.get(field.select)
            if place is not None and place < 0:
                raise Refused(Reason.FIELD_AMBIGUOUS, field.name)
            value, kind = (None, ABSENT) if place is None else written(record[place])
            values.append(value)
            kinds.append(kind)
        return values, kinds


def fields(text: str, delimiter: str, quote: str) -> list[str]:
    """The fields of one record, quotes taken off. Raises Refused where a quote does not close
    or is followed by more text, or where a line ends outside of quotes."""
    text = _without_ending(text)
    if quote not in text:
        if "\n" in text or "\r" in text:
            raise Refused(Reason.PAYLOAD_MALFORMED)
        return text.split(delimiter)
    return _quoted(text, _pattern(delimiter, quote), quote)


def _quoted(text: str, pattern: re.Pattern[str], quote: str) -> list[str]:
    found: list[str] = []
    place = 0
    while True:
        match = pattern.match(text, place)
        if match is None:
            raise Refused(Reason.PAYLOAD_MALFORMED)
        within = match[1]
        found.append(match[2] if within is None else within.replace(quote + quote, quote))
        place = match.end()
        if not match[3]:
            return found


@lru_cache(maxsize=16)
def _pattern(delimiter: str, quote: str) -> re.Pattern[str]:
    d, q = re.escape(delimiter), re.escape(quote)
    within = rf"{q}([^{q}]*+(?:{q}{q}[^{q}]*+)*+){q}"
    plain = rf"(?!{q})([^{d}\r\n]*+)"
    return re.compile(rf"(?:{within}|{plain})({d}|\Z)")


def _without_ending(text: str) -> str:
    if text.endswith("\r\n"):
        return text[:-2]
    return text[:-1] if text.endswith(("\n", "\r")) else text


@lru_cache(maxsize=256)
def _names(header: str | None, delimiter: str, quote: str) -> tuple[str, ...]:
    if header is None:
        raise Refused(Reason.PAYLOAD_MALFORMED, HEADER)
    return tuple(fields(header, delimiter, quote))


@lru_cache(maxsize=256)
def _places(names: tuple[str, ...]) -> dict[str, int]:
    """Where each name stands; -1 for one that stands twice."""
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        places[name] = -1 if name in places else place
    return places
