"""Opening the adapters a plan names, without importing any that it does not."""

from collections.abc import Mapping
from typing import Any, cast

from extractors import STORES
from loaders import EXTRAS as BUS_EXTRAS
from loaders import bus_part
from loaders.claims import open_claims
from loaders.claims.observe import Observer as ClaimsObserver
from loaders.structured import structured_ramps
from loaders.structured.observe import Observer as EventsObserver
from migrate.core.errors import MigrateError, MissingExtra
from migrate.core.flow import BusSpec, OffRampSpec, StoreSpec
from migrate.core.ports import Gauge, LegacyStore, Observer
from migrate.core.registry import resolve

EXTRAS = {
    **BUS_EXTRAS,
    "adbc_driver_postgresql": "postgresql",
    "psycopg2": "postgresql",
    "pika": "rabbitmq",
}
"""Which extra brings a module that may be missing."""


def open_store(spec: StoreSpec) -> LegacyStore:
    """A legacy store, ready to be read.

    Raises UsageError for an unknown kind, MissingExtra for a driver that is
    not installed, LegacyUnreadable where the store itself is at fault.
    """
    adapter = resolve(STORES, spec.kind, what="kind of legacy store", extras=EXTRAS)
    try:
        return cast("LegacyStore", adapter(spec))
    except ModuleNotFoundError as error:
        raise _missing(error, f'store "{spec.name}"') from error


def open_observer(spec: BusSpec, offramps: Mapping[str, OffRampSpec]) -> Observer:
    """The witness's read-only view of a bus and of its destinations, by name; events in structured
    mode are opened, bodies that lie in a claim store are fetched from there. Errors as for
    open_store, BusRefused in place of LegacyUnreadable."""
    observer = open_referring_observer(spec, offramps)
    if spec.claims is None:
        return observer
    try:
        return ClaimsObserver(observer, open_claims(spec), spec.claims)
    except MigrateError:
        observer.close()
        raise


def open_referring_observer(spec: BusSpec, offramps: Mapping[str, OffRampSpec]) -> Observer:
    """The same without looking behind references: whoever refers to a claim says so in headers."""
    observer = open_bare_observer(spec, offramps)
    return EventsObserver(observer, offramps) if structured_ramps(offramps) else observer


def open_bare_observer(spec: BusSpec, offramps: Mapping[str, OffRampSpec]) -> Observer:
    """The same without opening events or looking behind references: what lies on the bus itself."""
    return cast("Observer", _opened("observe:Observer", spec, offramps))


def open_gauge(spec: BusSpec, offramps: Mapping[str, OffRampSpec]) -> Gauge:
    """What tells how much waits for the receivers of these off-ramps; the bus is not reached yet.

    Raises NoGauge where it can never be told, UsageError, MissingExtra.
    """
    return cast("Gauge", _opened("gauge:Gauge", spec, offramps))


def _opened(part: str, spec: BusSpec, offramps: Mapping[str, OffRampSpec]) -> Any:
    adapter = bus_part(spec.kind, part)
    try:
        return adapter(spec, offramps)
    except ModuleNotFoundError as error:
        raise _missing(error, f'bus "{spec.name}"') from error


def _missing(error: ModuleNotFoundError, what: str) -> Exception:
    root = (error.name or "").partition(".")[0]
    return MissingExtra(what, EXTRAS[root]) if root in EXTRAS else error
