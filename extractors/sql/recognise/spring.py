"""The tables of Spring Integration's JDBC stores, as `schema-*.sql` of the product makes them.

`PREFIX_MESSAGE`, `…GROUP_TO_MESSAGE`, `…MESSAGE_GROUP` (message store), `…CHANNEL_MESSAGE` (channel
message store), `…METADATA_STORE`, `…LOCK`. The prefix is configurable, `INT_` by default. Built
from the product's source; see docs/howto/spring-integration.md.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from extractors.sql.catalogue import Column, Table
from extractors.sql.dialects.base import Dialect
from extractors.sql.recognise.roles import key_of
from extractors.sql.recognise.times import ZONE
from migrate.core.flow import SourceSpec, TimeSpec
from migrate.core.proposal import FlowDraft, plain_name

_CHANNEL, _MESSAGE = "CHANNEL_MESSAGE", "MESSAGE"
_GROUPS, _GROUP = "GROUP_TO_MESSAGE", "MESSAGE_GROUP"
_REASONS = {
    _GROUPS: "which message is in which group: read with the messages, as a reference table",
    _GROUP: "state of the groups, no messages: see the reference table of what is in them",
    "METADATA_STORE": "what adapters remember (files and mails seen); the new bus has its own",
    "LOCK": "locks of the running application; they die with it",
}


def spring_prefixes(names: Sequence[str]) -> list[str]:
    """The prefixes under which a database has the tables of a message store."""
    upper = {name.upper(): name for name in names}
    found = []
    for name in upper:
        start = name.removesuffix(_CHANNEL)
        if name.endswith(_CHANNEL) and (start or len(upper) > 1):
            found.append(upper[name][: len(start)])
        start = name.removesuffix(_GROUPS)
        if name.endswith(_GROUPS) and f"{start}{_MESSAGE}" in upper:
            found.append(upper[name][: len(start)])
    return sorted(set(found))


@dataclass(frozen=True, slots=True)
class Spring:
    """The tables with one prefix."""

    prefix: str

    def reason(self, table: Table) -> str | None:
        """Why one of its tables holds no messages; None for the others."""
        return _REASONS.get(self._part(table))

    def draft(self, table: Table, taken: Collection[str]) -> FlowDraft | None:
        """The flow of one of its two tables of messages; None for any other table."""
        part = self._part(table)
        body = _find(table, "MESSAGE_CONTENT") or _find(table, "MESSAGE_BYTES")
        if part not in (_CHANNEL, _MESSAGE) or body is None:
            return None
        name = plain_name("channels" if part == _CHANNEL else "messages", taken)
        if part == _CHANNEL:
            return _channels(table, name, body)
        return _messages(table, name, body, self._groups)

    def tables(self, tables: Sequence[Table], dialect: Dialect) -> dict[str, str]:
        """The reference table of groups, where there is one: its name and query."""
        for table in tables:
            if self._part(table) == _GROUPS:
                columns = [_find(table, name) for name in ("MESSAGE_ID", "REGION", "GROUP_KEY")]
                if all(columns):
                    listed = ", ".join(
                        f"{dialect.quote(column.name)} AS {column.name.lower()}"
                        for column in columns
                        if column
                    )
                    return {self._groups: f"SELECT {listed} FROM {dialect.table(table)}"}
        return {}

    @property
    def _groups(self) -> str:
        return f"{plain_name(self.prefix, otherwise='spring')}_groups"

    def _part(self, table: Table) -> str:
        start = table.name[: len(self.prefix)]
        return table.name[len(self.prefix) :].upper() if start == self.prefix else ""


def _channels(table: Table, name: str, body: Column) -> FlowDraft:
    columns = _columns(
        table,
        body=body.name,
        priority="MESSAGE_PRIORITY",
        order_key="GROUP_KEY",
        created_at="CREATED_DATE",
    )
    headers = _names(table, "MESSAGE_ID", "GROUP_KEY", "REGION")
    source = SourceSpec(
        name,
        "",
        table.label,
        key=_key(table, "REGION", "GROUP_KEY", "CREATED_DATE", "MESSAGE_SEQUENCE"),
        order_by=_names(table, "CREATED_DATE", "MESSAGE_SEQUENCE"),
        columns=columns,
        headers=headers,
        times=(("created_at", TimeSpec("epoch_ms")),),
    )
    notes = (
        "Messages waiting in channels, one group a channel: GROUP_KEY is a UUID made of the",
        "channel's name, see docs/howto/spring-integration.md for the way back.",
    )
    return FlowDraft(source, notes, {"order_by": "the product's own order"})


def _messages(table: Table, name: str, body: Column, groups: str) -> FlowDraft:
    source = SourceSpec(
        name,
        "",
        table.label,
        key=_key(table, "MESSAGE_ID", "REGION"),
        order_by=_names(table, "CREATED_DATE"),
        columns=_columns(table, body=body.name, created_at="CREATED_DATE"),
        headers=_names(table, "MESSAGE_ID", "REGION"),
        times=(("created_at", TimeSpec("local", ZONE)),),
    )
    notes = (
        "Messages of the message store: held by aggregators, delayers and claim checks. Which",
        f"group each is in says the reference table {groups}.",
    )
    return FlowDraft(source, notes, {"created_at": "GUESS: the wall clock of the application"})


def _columns(table: Table, **meant: str) -> tuple[tuple[str, str], ...]:
    found = ((role, _find(table, name)) for role, name in meant.items())
    return tuple((role, column.name) for role, column in found if column)


def _names(table: Table, *names: str) -> tuple[str, ...]:
    return tuple(column.name for name in names if (column := _find(table, name)))


def _key(table: Table, *names: str) -> tuple[str, ...]:
    """The product's own key, if the database keeps it unique; else what it does."""
    own = _names(table, *names)
    return own if table.keeps_unique(own) else key_of(table)


def _find(table: Table, name: str) -> Column | None:
    return next((column for column in table.columns if column.name.upper() == name.upper()), None)
