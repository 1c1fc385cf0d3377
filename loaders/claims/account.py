"""What a claim store holds against what lies on the bus: which deliveries refer to which claim.

The store is listed before the bus is read, so that what is on its way meanwhile is not listed at
all, or found on the bus. Only headers are looked at, and nothing is fetched unless it is asked for.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow.compute as pc

from loaders.claims.reference import REF, Reference, digest_of, read_reference
from migrate.core.ports import ClaimStore, Kept, Observer
from migrate.core.window import run_of

_NAMES = re.compile(r"[0-9a-f]{64}")
_EVENT = "application/cloudevents"
"""What is still called so when events were opened is none that can be opened."""

REFERRED, UNREFERENCED, UNFINISHED, MISSING = "referred", "unreferenced", "unfinished", "missing"
WHOLE, ALTERED = "whole", "altered"


@dataclass(frozen=True, slots=True)
class Referring:
    """A delivery that names a claim. `reference`: what it says of it, None where that is none of
    ours any more; `run`: the run that brought it, as it says itself."""

    destination: str | None
    lane: str | None
    message_id: str | None
    place: str | None
    run: str | None
    reference: Reference | None


@dataclass(slots=True)
class Claimed:
    """A claim: as the store has it, None where it has none, and who refers to it."""

    name: str
    kept: Kept | None
    referring: list[Referring] = field(default_factory=list)

    @property
    def state(self) -> str:
        """Without a look at the body."""
        if self.kept is None:
            return MISSING
        if self.referring:
            return REFERRED
        return UNREFERENCED if self.kept.whole else UNFINISHED


@dataclass(frozen=True, slots=True)
class Account:
    """`claims`: by name; `uncounted`: off-ramps whose deliveries nobody can read, and `doubts`
    those of which something may be hidden or gone, each with the reason."""

    claims: Mapping[str, Claimed]
    uncounted: Mapping[str, str]
    doubts: Mapping[str, str]


def take_account(observer: Observer, store: ClaimStore, base: str) -> Account:
    """List the store, then read everything on the bus. `observer`: one that opens events and looks
    behind no reference. Raises CouldNotVerify."""
    claims = {kept.name: Claimed(kept.name, kept) for kept in store.held()}
    for batch in observer.observe({}):
        headers = batch.column("headers")
        refers = pc.or_(
            pc.match_substring(headers, REF), pc.match_substring(headers, _EVENT, ignore_case=True)
        )
        for row in pc.indices_nonzero(refers).to_pylist():
            _note(claims, batch.slice(row, 1).to_pylist()[0], base)
    sights = observer.sights({})
    uncounted = {name: "only a number is seen" for name in sights if sights[name].how == "counts"}
    doubts = {name: sight.doubt for name, sight in sights.items() if sight.doubt}
    return Account(claims, uncounted, {**uncounted, **doubts})


def _note(claims: dict[str, Claimed], row: Mapping[str, Any], base: str) -> None:
    """Whatever has the name of a claim in its headers refers to it, be it written as it may; so
    does an event that could not be opened, in its text."""
    head, body = row["headers"], row["body"]
    reference = read_reference(base, head, body)
    text = head if body is None or REF in head else head + body.decode("latin-1")
    named = {name for name in _NAMES.findall(text) if name in claims}
    if reference is not None:
        named.add(reference.name)
    for name in named:
        ours = reference if reference is not None and reference.name == name else None
        where = (row["destination"], row["lane"], row["message_id"], row["place"])
        claim = claims.setdefault(name, Claimed(name, None))
        claim.referring.append(Referring(*where, run_of(head), ours))


def verified(claim: Claimed, store: ClaimStore) -> Iterator[tuple[Referring, str]]:
    """Of each delivery that refers to a claim, whether a receiver gets what it says: `whole`,
    `missing` or `altered`. The body is fetched once. Raises CouldNotVerify."""
    fetched: dict[int, str | None] = {}
    for one in claim.referring:
        reference = one.reference
        if reference is None:
            yield one, ALTERED
            continue
        if reference.length not in fetched:
            body = store.get(reference.name, reference.length)
            fetched[reference.length] = None if body is None else digest_of(body)
        if claim.kept is None:
            yield one, MISSING
        else:
            yield one, WHOLE if fetched[reference.length] == reference.digest else ALTERED
