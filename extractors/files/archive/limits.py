"""How much an archive may hold, and a record: bounds on memory and time for hostile files."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Self

from migrate.core.errors import LegacyUnreadable

MIB = 1 << 20
_MOST = {"max_record_bytes": 1 << 30}  # a Parquet value has a length of 31 bits


@dataclass(frozen=True, slots=True)
class Limits:
    """The options `max_…` of a store."""

    max_record_bytes: int = 256 * MIB
    max_members: int = 100_000  # of an archive
    max_unpacked_bytes: int = 16 * 1024 * MIB  # all that an archive holds
    max_ratio: int = 200  # unpacked to packed, from FREE bytes on

    @classmethod
    def of(cls, options: Mapping[str, str]) -> Self:
        """Those that a plan gives. LegacyUnreadable for what is no number."""
        for problem in problems(options):
            raise LegacyUnreadable(problem, hint="run isb-migrate check")
        names = {field.name for field in fields(cls)}
        return cls(**{name: int(value) for name, value in options.items() if name in names})


FREE = 16 * MIB
"""So many bytes may come out of any packed file, whatever its ratio."""


def problems(options: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with the options `max_…`."""
    for field in fields(Limits):
        value = options.get(field.name)
        most = _MOST.get(field.name, 1 << 60)
        if value is not None and not (
            value.isascii() and value.isdecimal() and 0 < int(value[:20]) <= most
        ):
            yield f"the store's option {field.name} is no number from 1 to {most}"
