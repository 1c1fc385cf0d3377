"""Record types: files in which the beginning of a record says what it is.

AddressBase and its like mix records of many kinds in one file; the first field
(csv) or the first characters (fixed) tell them apart. A flow takes one type,
or all that no key `glob#type` of out_of_scope leaves out.
"""

import re
from collections.abc import Callable

from extractors.files.csv import first_field
from migrate.core.flow import RecordSpec

OTHER = "other"
"""The name, in claims, of types nobody declared and that do not look like a code."""

_CODE = re.compile(r"[A-Z0-9]{1,3}")
_HEAD = 4096

Keep = Callable[[bytes, str], bool]
"""Record and character set → whether the flow takes it."""


def beginning(record: bytes, charset: str, spec: RecordSpec) -> str:
    """What tells a record's type: the first field, or the first characters of many."""
    if spec.format == "csv":
        return first_field(record.decode(charset, "replace"), spec)
    return record[:_HEAD].decode(charset, "replace")


def is_type(found: str, name: str, spec: RecordSpec) -> bool:
    """Whether a record that begins so is of a type."""
    return found == name if spec.format == "csv" else found.startswith(name)


def keeper(spec: RecordSpec, left_out: frozenset[str]) -> Keep | None:
    """Which records of a file a flow takes; None for all of them."""
    wanted = spec.record_type
    if wanted is None and not left_out:
        return None

    def keep(record: bytes, charset: str) -> bool:
        found = beginning(record, charset, spec)
        if any(is_type(found, name, spec) for name in left_out):
            return False
        return wanted is None or is_type(found, wanted, spec)

    return keep


def label(found: str, declared: frozenset[str], spec: RecordSpec) -> str:
    """A type's name for claims and reports: declared, or like a code; values stay out of both."""
    known = [name for name in declared if is_type(found, name, spec)]
    if known:
        return max(known, key=lambda name: (len(name), name))
    code = found if spec.format == "csv" else found[: max(map(len, declared), default=0)]
    return code if _CODE.fullmatch(code) else OTHER
