"""The tables of a JDBC store: under which names they are there, and what a source means in SQL.

Names as the product makes them (`Statements.java`), in any case, behind the `table_prefix` of the
store's options. Databases of old brokers lack PRIORITY and XID.
"""

from dataclasses import dataclass

from extractors.sql.catalogue import Column, Table
from extractors.sql.dialects.base import Dialect
from extractors.sql.reflect import Catalogue
from extractors.sql.scan import Scan
from migrate.core.errors import LegacyUnreadable
from migrate.core.flow import SourceSpec, StoreSpec

TOPIC = "topic://"
_NEEDED = {
    "MSGS": ("ID", "CONTAINER", "MSGID_PROD", "MSGID_SEQ", "MSG"),
    "ACKS": ("CONTAINER", "CLIENT_ID", "SUB_NAME", "SELECTOR", "LAST_ACKED_ID"),
}


@dataclass(frozen=True, slots=True)
class Tables:
    """ACTIVEMQ_MSGS and ACTIVEMQ_ACKS of one database."""

    dialect: Dialect
    msgs: Table
    acks: Table

    def scan(self, source: SourceSpec, *, in_doubt: bool = False) -> Scan:
        """A source's rows of ACTIVEMQ_MSGS, without (or only) those of open transactions."""
        names = ("CONTAINER", "MSGID_PROD", "MSGID_SEQ", "PRIORITY")
        columns = [find(self.msgs, name) for name in names]
        inner = SourceSpec(
            flow=source.flow,
            store=source.store,
            from_=self.msgs.name,
            where=" AND ".join(self.conditions(source.from_, in_doubt=in_doubt)) or None,
            key=(self.msg("ID").name,),
            columns=(("body", self.msg("MSG").name),),
            headers=tuple(column.name for column in columns if column),
        )
        return Scan(self.dialect, self.msgs, inner)

    def conditions(self, from_: str, *, in_doubt: bool = False) -> list[str]:
        """What tells a source's rows; plain SQL."""
        container = self.quoted("CONTAINER")
        found: list[str] = []
        if from_.endswith("*") and len(from_) > 1:
            start = from_.removesuffix("*")
            function = "SUBSTRING" if self.dialect.backend == "mssql" else "SUBSTR"
            found.append(f"{function}({container}, 1, {len(start)}) = {self.literal(start)}")
        elif from_ != "*":
            found.append(f"{container} = {self.literal(from_)}")
        if xid := find(self.msgs, "XID"):
            negation = "NOT " if in_doubt else ""
            found.append(f"{self.dialect.quote(xid.name)} IS {negation}NULL")
        return found

    def msg(self, name: str) -> Column:
        """A column of ACTIVEMQ_MSGS that every store has."""
        column = find(self.msgs, name)
        assert column is not None
        return column

    def quoted(self, name: str) -> str:
        """The quoted name of a column of ACTIVEMQ_MSGS."""
        return self.dialect.quote(self.msg(name).name)

    def literal(self, text: str) -> str:
        """A text in SQL, for queries that somebody else can paste."""
        escaped = text.replace("'", "''")
        if self.dialect.backend in ("mysql", "mariadb"):
            escaped = escaped.replace("\\", "\\\\")
        return f"'{escaped}'"


def find(table: Table, name: str) -> Column | None:
    """A column whatever the case of its name."""
    return next((column for column in table.columns if column.name.upper() == name), None)


def matches(from_: str, container: str) -> bool:
    """Whether a source's `from` names a container."""
    if from_.endswith("*"):
        return container.startswith(from_.removesuffix("*"))
    return container == from_


def covers_topics(from_: str) -> bool:
    """Whether a source may hold topics."""
    start = from_.removesuffix("*") if from_.endswith("*") else from_
    return start.startswith(TOPIC) or (from_.endswith("*") and TOPIC.startswith(start))


def find_tables(spec: StoreSpec, dialect: Dialect, catalogue: Catalogue) -> Tables:
    """The store's tables. Raises LegacyUnreadable where they are not there or not a store's."""
    prefix = dict(spec.options).get("table_prefix", "")
    known = {name.upper(): name for name in catalogue.names()}
    msgs = _table(catalogue, known, prefix, "MSGS")
    acks = _table(catalogue, known, prefix, "ACKS")
    found = Tables(dialect, msgs, acks)
    if found.msg("MSG").kind == "text":
        raise LegacyUnreadable(
            f"{msgs.name} holds references to messages that are kept elsewhere",
            hint="the broker uses useExternalMessageReferences; read the journal it refers to",
        )
    return found


def _table(catalogue: Catalogue, known: dict[str, str], prefix: str, kind: str) -> Table:
    wanted = f"{prefix}ACTIVEMQ_{kind}"
    name = known.get(wanted.upper())
    table = catalogue.table(name) if name else None
    if table is None:
        raise LegacyUnreadable(
            f"there is no table {wanted} in the store",
            hint="name the broker's tablePrefix: options = { table_prefix = … }",
        )
    missing = [column for column in _NEEDED[kind] if find(table, column) is None]
    if missing:
        raise LegacyUnreadable(
            f"{wanted} lacks {', '.join(missing)}", hint="it is no table of an ActiveMQ JDBC store"
        )
    return table
