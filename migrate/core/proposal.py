"""What `init` is pointed at, and what a kind of legacy store says of it.

A folder of `extractors/` that can recognise its stores has a module `recognise` with a function
`recognise(place) -> Iterator[Recognised]`. It looks only as far as it must to be sure: file names
and first bytes, names of tables. `draft` looks closer, and only the draft that is chosen is made.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Protocol, TypeVar

from migrate.core.flow import SourceSpec, StoreSpec

TO_BE_COMPLETED = "TO BE COMPLETED"
"""How every reason begins that a proposal gives and a human has to give."""

PAGE_BYTES = 32 * 1024 * 1024
"""A draft reads its samples in pages of no more."""

_SPREAD_OVER = 10
_SPREAD_BYTES = 128 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Place:
    """A database's URL with its secrets in it, or a file or folder (`path`) that is there."""

    url: str
    path: Path | None = None
    schema: str | None = None
    sample: int = 500  # records that a draft may look at, of each flow

    def spec(self, kind: str, *, options: tuple[tuple[str, str], ...] = ()) -> StoreSpec:
        """A store of this place, read in small pages."""
        return StoreSpec(
            "store",
            kind,
            str(self.path or self.url),
            schema=self.schema,
            options=options,
            batch_rows=self.sample,
            batch_bytes=PAGE_BYTES,
        )


@dataclass(frozen=True, slots=True)
class FlowDraft:
    """A flow as it might be read; `source.flow` is its name, unique in the draft.

    `notes` stand above it, `remarks` behind the keys they are about: `from`, `key`, `order_by`,
    `delivered`, `record`, or a legacy column. No text here holds a value of a payload.
    """

    source: SourceSpec
    notes: tuple[str, ...] = ()
    remarks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoreDraft:
    """A store with everything in it claimed: by a flow, or out of scope with a reason.

    `tables`: reference tables, by name the query asked of this store.
    """

    spec: StoreSpec
    flows: tuple[FlowDraft, ...]
    notes: tuple[str, ...] = ()
    tables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recognised:
    """A kind of store that a place is.

    `sure`: by a product's own marks; otherwise it is a kind that anything of its sort can be
    read as.
    """

    kind: str
    what: str  # such as "tables of Apache ActiveMQ Classic"
    sure: bool
    draft: Callable[[], Sequence[StoreDraft]]


class Recognise(Protocol):
    """`recognise` in a folder of `extractors/`. May raise LegacyUnreadable and MissingExtra."""

    def __call__(self, place: Place) -> Iterator[Recognised]: ...


_Record = TypeVar("_Record")


def spread(records: Iterable[_Record], count: int, size: Callable[[_Record], int]) -> list[_Record]:
    """At most `count` records, evenly spread over the first ten times as many, in their order.

    Reads no more than these, nor much more than 128 MB (`size` in bytes).
    """
    kept: list[_Record] = []
    step, total = 1, 0
    for number, record in enumerate(islice(records, count * _SPREAD_OVER)):
        total += size(record)
        if number % step == 0:
            kept.append(record)
        if len(kept) > count:
            kept, step = kept[::2], step * 2
        if total > _SPREAD_BYTES:
            break
    return kept


def plain_name(text: str, taken: Collection[str] = (), *, otherwise: str = "flow") -> str:
    """A name that a flow may have, made of another; numbered where it is taken."""
    plain = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:60].rstrip("_")
    plain = plain if plain[:1].isalpha() else f"{otherwise}_{plain}".rstrip("_")
    name, number = plain, 2
    while name in taken:
        name, number = f"{plain}_{number}", number + 1
    return name
