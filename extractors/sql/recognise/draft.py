"""Every table of a database: a flow, or out of scope with a reason to be completed."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from extractors.sql.catalogue import Table
from extractors.sql.connect import Server
from extractors.sql.recognise import roles, times
from extractors.sql.recognise.roles import Row
from extractors.sql.recognise.spring import Spring
from extractors.sql.reflect import Catalogue
from extractors.sql.sessions import Sessions
from extractors.sql.store import SqlStore
from migrate.core.errors import LegacyUnreadable
from migrate.core.flow import SourceSpec, TimeSpec
from migrate.core.proposal import (
    TO_BE_COMPLETED,
    FlowDraft,
    Place,
    StoreDraft,
    plain_name,
    spread,
)

_NEVER_MESSAGES = frozenset(
    (
        *("audit", "log", "logs", "lock", "locks", "config", "configuration", "setting"),
        *("settings", "flyway", "databasechangelog", "databasechangeloglock", "liquibase"),
        *("alembic", "qrtz", "heartbeat"),
    )
)
_HARDLY_MESSAGES = _NEVER_MESSAGES | frozenset(
    (
        *("param", "params", "parameter", "parameters", "route", "routes", "routing"),
        *("endpoint", "endpoints", "code", "codes", "lookup", "lookups", "type", "types"),
        *("schema", "version", "versions", "migration", "migrations", "sequence", "sequences"),
        *("seq", "user", "users", "role", "roles", "permission", "permissions", "session"),
        *("sessions", "job", "jobs", "scheduler", "metadata", "stats", "statistics"),
        *("delivery", "deliveries", "ack", "acks", "subscription", "subscriptions"),
    )
)
_ENDPOINTS = ("endpoint", "destination", "subscriber", "consumer", "target", "receiver")
_ACKED = ("acked", "acknowledged", "delivered", "confirmed")


@dataclass(slots=True)
class _Drafting:
    """The state of one draft."""

    place: Place
    store: SqlStore
    server: Server
    tables: list[Table]
    out_of_scope: dict[str, str]
    flows: list[FlowDraft] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        return [flow.source.flow for flow in self.flows]

    def leave_out(self, table: Table, why: str) -> None:
        """Out of scope, for a reason that somebody has to answer for."""
        self.out_of_scope[table.label] = f"{TO_BE_COMPLETED}: {why}"

    def keep(self, table: Table, draft: FlowDraft) -> None:
        """A flow, if the store finds nothing wrong with it, or with it without an order."""
        problems = self.store.check(draft.source)
        if problems and draft.source.order_by:
            draft = replace(draft, source=replace(draft.source, order_by=()))
            problems = self.store.check(draft.source)
        if problems:
            self.leave_out(table, f"cannot be read as it is ({problems[0]})")
        else:
            self.flows.append(draft)

    def sample(self, table: Table) -> list[Row]:
        """The first rows of a table, every value as text. Raises LegacyUnreadable."""
        source = SourceSpec("sample", "store", table.label, key=roles.key_of(table))
        chunks = self.store.read(source)
        bodies = (body for chunk in chunks for body in chunk.table.column("body").to_pylist())
        return [_row(body) for body in spread(bodies, self.place.sample, len)]


def draft_tables(
    place: Place, reasons: Mapping[str, str], springs: Sequence[Spring] = ()
) -> StoreDraft:
    """One store of kind sql. `reasons`: tables that are out of scope whatever they look like."""
    spec = place.spec("sql")
    store, server = SqlStore(spec), Server(spec)
    sessions = Sessions(server)
    try:
        catalogue = Catalogue(server, sessions)
        found = [table for name in catalogue.names() if (table := catalogue.table(name))]
        drafting = _Drafting(place, store, server, found, dict(reasons))
        rest = [table for table in found if table.label not in reasons]
        _springs(drafting, springs, rest)
        _others(drafting, rest)
        references: dict[str, str] = {}
        for spring in springs:
            references |= spring.tables(found, server.dialect)
    finally:
        sessions.close()
        server.engine.dispose()
        store.close()
    spec = replace(spec, out_of_scope=tuple(drafting.out_of_scope.items()))
    return StoreDraft(spec, tuple(drafting.flows), tables=references)


def _springs(drafting: _Drafting, springs: Sequence[Spring], rest: list[Table]) -> None:
    for spring in springs:
        for table in list(rest):
            why = spring.reason(table)
            draft = spring.draft(table, drafting.names)
            if why is not None:
                drafting.out_of_scope[table.label] = why
            elif draft is not None:
                drafting.keep(table, draft)
            else:
                continue
            rest.remove(table)


def _others(drafting: _Drafting, tables: Sequence[Table]) -> None:
    """Tables with a body; where no table has one, those whose rows may be messages themselves."""
    samples = dict(_samples(drafting, tables))
    bodies = {name: roles.body_of(table, rows) for name, (table, rows) in samples.items()}
    are_bodies = any(bodies.values()) or bool(drafting.flows)
    waiting: list[Table] = []
    for name, (table, rows) in samples.items():
        words = set(roles.words_of(table.name))
        if bodies[name] is not None and not words & _NEVER_MESSAGES:
            drafting.keep(table, _draft(drafting, table, bodies[name], rows))
        elif bodies[name] is None and not are_bodies and not words & _HARDLY_MESSAGES:
            drafting.keep(table, _draft(drafting, table, None, rows))
        else:
            waiting.append(table)
    beside = {name for flow in drafting.flows for name in _tables_beside(drafting, flow)}
    for table in waiting:
        if table.label not in beside:
            drafting.leave_out(table, _why(table, bodies[table.label], are_bodies=are_bodies))


def _why(table: Table, body: str | None, *, are_bodies: bool) -> str:
    if set(roles.words_of(table.name)) & _HARDLY_MESSAGES:
        return "looks like what the bus needs to run, not like messages"
    return "no column looks like a message body" if are_bodies and body is None else "no messages"


def _samples(
    drafting: _Drafting, tables: Sequence[Table]
) -> Iterator[tuple[str, tuple[Table, list[Row]]]]:
    for table in tables:
        try:
            yield table.label, (table, drafting.sample(table))
        except LegacyUnreadable as error:
            drafting.leave_out(table, f"cannot be read as it is ({error.message})")


def _draft(drafting: _Drafting, table: Table, body: str | None, rows: Sequence[Row]) -> FlowDraft:
    found = roles.roles_of(table, body, rows)
    remarks: dict[str, str] = {}
    specs: dict[str, TimeSpec] = {}
    notes: list[str] = []
    for role in roles.TIMES:
        if role in found:
            texts = [row.get(found[role]) for row in rows]
            number = table.column(found[role]).kind == "integer"
            guessed = times.guess(found[role], texts, number=number)
            if guessed.spec is None:
                name = found.pop(role)
                notes.append(f"{name} looks like {role}, but no kind of time reads its values.")
            else:
                specs[role], remarks[role] = guessed.spec, guessed.remark
    notes += _codes(found, rows)
    key = roles.key_of(table)
    if not key:
        notes += _no_key(table, rows)
    columns = (*((("body", body),) if body else ()), *found.items())
    source = SourceSpec(
        plain_name(table.name, drafting.names),
        "",
        table.label,
        key=key,
        order_by=roles.order_of(table, found) if key else (),
        columns=columns,
        times=tuple(specs.items()),
        delivered=_delivered(drafting, table, key),
    )
    if source.delivered:
        remarks["delivered"] = "GUESS: endpoints with an acknowledgement get nothing again"
    return FlowDraft(source, tuple(notes), remarks)


def _codes(found: Mapping[str, str], rows: Sequence[Row]) -> Iterator[str]:
    """Codes that a flow is divided or decided by."""
    for role, asked in (("status", "decide by it"), ("message_type", "split the flow by it")):
        values = roles.structural(rows, found[role]) if role in found else None
        if values:
            yield f"{role} in the sample: {', '.join(values)}; {asked} if they differ."


def _no_key(table: Table, rows: Sequence[Row]) -> Iterator[str]:
    yield "The database keeps nothing unique here: rows are told apart by content and occurrence."
    seeming = roles.seeming_key(table, rows)
    if seeming:
        yield f'"{seeming}" is unique in the sample; if it is the key: key = ["{seeming}"]'


def _delivered(drafting: _Drafting, table: Table, key: Sequence[str]) -> str | None:
    """A query for acknowledged deliveries, where one other table evidently holds them."""
    found = [
        query
        for other in drafting.tables
        if other is not table and (query := _acknowledged(drafting, other, key))
    ]
    return found[0] if len(found) == 1 and key else None


def _acknowledged(drafting: _Drafting, table: Table, key: Sequence[str]) -> str | None:
    quote = drafting.server.dialect.quote
    by_name = {column.name.lower(): column for column in table.columns}
    endpoint = next((by_name[name] for name in _ENDPOINTS if name in by_name), None)
    acked = next((by_name[name] for name in _ACKED if name in by_name), None)
    if not (endpoint and acked and all(table.has(name) for name in key)):
        return None
    if acked.kind not in ("boolean", "integer"):
        return None
    listed = ", ".join(quote(name) for name in (*key, endpoint.name))
    condition = quote(acked.name) if acked.kind == "boolean" else f"{quote(acked.name)} = 1"
    return f"SELECT {listed} FROM {drafting.server.dialect.table(table)} WHERE {condition}"


def _tables_beside(drafting: _Drafting, flow: FlowDraft) -> Iterator[str]:
    """Tables that a flow's `delivered` reads along."""
    if flow.source.delivered is None:
        return
    for table in drafting.tables:
        if flow.source.delivered == _acknowledged(drafting, table, flow.source.key):
            yield table.label


def _row(body: bytes) -> Row:
    """A row's values as texts."""
    members = json.loads(body)
    return {name: _text(value) for name, value in members.items()}


def _text(value: object) -> str | None:
    if isinstance(value, dict):
        return str(next(iter(value.values()), ""))
    return None if value is None else str(value)
