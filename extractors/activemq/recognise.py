"""Whether a place is a store of Apache ActiveMQ Classic: its tables, or a KahaDB journal."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from extractors.activemq.account import ACKNOWLEDGED, IN_DOUBT
from extractors.activemq.jdbc import JdbcStore
from extractors.activemq.journal import log_files
from extractors.activemq.kahadb import KahaDbStore
from extractors.sql.recognise import draft_tables, is_database, table_names
from migrate.core.errors import LegacyUnreadable
from migrate.core.flow import SourceSpec, StoreSpec
from migrate.core.ports import Claim
from migrate.core.proposal import (
    TO_BE_COMPLETED,
    FlowDraft,
    Place,
    Recognised,
    StoreDraft,
    plain_name,
)

_MSGS, _ACKS, _LOCK = "ACTIVEMQ_MSGS", "ACTIVEMQ_ACKS", "ACTIVEMQ_LOCK"
_DEAD = ("DLQ", "DEAD")


def recognise(place: Place) -> Iterator[Recognised]:
    """`activemq-kahadb` for a folder with db-N.log, `activemq-jdbc` for a database."""
    if place.path is not None:
        if place.path.is_dir() and _is_journal(place):
            what = "journal of Apache ActiveMQ Classic (KahaDB)"
            yield Recognised("activemq-kahadb", what, True, partial(_kahadb, place))
        return
    if not is_database(place):
        return
    prefixes = _prefixes(table_names(place))
    if prefixes:
        what = "tables of Apache ActiveMQ Classic (JDBC persistence)"
        yield Recognised("activemq-jdbc", what, True, partial(_jdbc, place, prefixes))


def _is_journal(place: Place) -> bool:
    try:
        return place.path is not None and bool(log_files(place.path))
    except LegacyUnreadable:
        return False


def _prefixes(names: Sequence[str]) -> list[str]:
    """What stands before ACTIVEMQ_MSGS where ACTIVEMQ_ACKS is there too."""
    known = {name.upper() for name in names}
    starts = [name[: -len(_MSGS)] for name in names if name.upper().endswith(_MSGS)]
    return [start for start in starts if f"{start.upper()}{_ACKS}" in known]


def _kahadb(place: Place) -> list[StoreDraft]:
    spec = place.spec("activemq-kahadb")
    return [_drafted(spec, KahaDbStore(spec))]


def _jdbc(place: Place, prefixes: Sequence[str]) -> list[StoreDraft]:
    drafts, brokers = [], []
    for prefix in prefixes:
        spec = place.spec("activemq-jdbc", options=(("table_prefix", prefix),) if prefix else ())
        store = JdbcStore(spec)
        try:
            drafts.append(_drafted(spec, store))
        finally:
            store.close()
        own = {f"{prefix}{name}".upper() for name in (_MSGS, _ACKS, _LOCK)}
        brokers += [name for name in table_names(place) if name.upper() in own]
    beside = draft_tables(place, dict.fromkeys(brokers, "read as a store of kind activemq-jdbc"))
    return (
        [*drafts, beside]
        if beside.flows or len(beside.spec.out_of_scope) > len(brokers)
        else drafts
    )


def _drafted(spec: StoreSpec, store: KahaDbStore | JdbcStore) -> StoreDraft:
    """A flow for every queue and topic; what open transactions hold is out of scope."""
    flows: list[FlowDraft] = []
    out_of_scope: list[tuple[str, str]] = []
    for claim in store.claims([]):
        if claim.container.endswith(IN_DOUBT):
            why = "held by an open transaction; settle it with the broker's owner"
            out_of_scope.append((claim.container, f"{TO_BE_COMPLETED}: {why}"))
        else:
            _add(flows, claim)
    return StoreDraft(replace(spec, out_of_scope=tuple(out_of_scope)), tuple(flows))


def _add(flows: list[FlowDraft], claim: Claim) -> None:
    container = claim.container.removesuffix(ACKNOWLEDGED)
    if any(flow.source.from_ == container for flow in flows):
        return
    name = plain_name(container.partition("://")[2], [flow.source.flow for flow in flows])
    notes: tuple[str, ...] = ()
    if any(word in container.upper() for word in _DEAD):
        notes = ("Looks like dead letters: they are archived, unless somebody knows better.",)
    flows.append(FlowDraft(SourceSpec(name, "", container), notes))
