"""Record types: files in which the beginning of a record says what it is.

AddressBase and its like mix records of many kinds in one file; the first field
(csv) or the first characters (fixed) tell them apart. A flow takes one type, or all
that no `glob#type` of out_of_scope leaves out.
"""

import re
from collections.abc import Callable, Iterable

from extractors.files.csv import first_field
from migrate.core.flow import RecordSpec

OTHER = "other"
"""The name, in claims, of types nobody declared and that do not look like a code."""

_CODE = re.compile(r"[A-Z0-9]{1,3}")
_HEAD = 4096


class RecordTypes:
    """Tells the types of a flow's records, given the types that anybody has declared."""

    def __init__(self, spec: RecordSpec, declared: Iterable[str]) -> None:
        self._spec = spec
        self._declared = sorted(declared, key=lambda name: (-len(name), name))
        self._width = max(map(len, self._declared), default=0)

    def of(self, record: bytes, charset: str) -> str:
        """The type as written: perhaps a value, so not for messages."""
        if self._spec.format == "csv":
            return first_field(record.decode(charset, "replace"), self._spec)
        text = record[:_HEAD].decode(charset, "replace")
        known = (name for name in self._declared if text.startswith(name))
        return next(known, text[: self._width])

    def label(self, written: str) -> str:
        """A type's name for claims and reports: declared or like a code, else `other`."""
        plain = written in self._declared or _CODE.fullmatch(written)
        return written if plain else OTHER


Keep = Callable[[bytes, str], bool]
"""Record and character set → whether the flow takes it."""


def keeper(spec: RecordSpec, left_out: frozenset[str]) -> Keep | None:
    """Which records of a file a flow takes; None for all of them."""
    wanted = spec.record_type
    if wanted is None and not left_out:
        return None
    types = RecordTypes(spec, {*left_out, *([wanted] if wanted else [])})

    def keep(record: bytes, charset: str) -> bool:
        found = types.of(record, charset)
        return found not in left_out and wanted in (None, found)

    return keep
