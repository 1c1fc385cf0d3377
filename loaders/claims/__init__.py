"""The claim check: bodies above a size lie in a store, and deliveries on the bus refer to them.

Wrapped round any bus's Publisher and Observer, so that every kind of bus has it. A kind of store
is one file here, with a class that keeps the port `migrate.core.ports.ClaimStore`, and one line.
"""

from typing import cast

from migrate.core.errors import UsageError
from migrate.core.flow import BusSpec
from migrate.core.ports import ClaimStore
from migrate.core.registry import resolve

CLAIM_STORES = {
    "folder": "loaders.claims.folder:ClaimStore",
    "sql": "loaders.claims.sql:ClaimStore",
}


def open_claims(bus: BusSpec) -> ClaimStore:
    """The claim store of a bus that has one. Nothing is read or written yet.

    Raises UsageError for an unknown kind of store and for one that cannot be, MissingExtra.
    """
    spec = bus.claims
    assert spec is not None
    if spec.url == bus.url and spec.url.startswith("sqlite"):
        raise UsageError(
            f'the bus "{bus.name}" and its claims lie in one SQLite file, which has one writer',
            hint="name another file, or a folder, in its `claims`",
        )
    kind = resolve(CLAIM_STORES, spec.kind, what="kind of claim store", extras={})
    return cast("ClaimStore", kind(spec))
