"""Counting a JDBC store without reading it: populations, control totals, claims.

Every query is plain SQL that somebody else can paste and compare.
"""

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from extractors.activemq.tables import TOPIC, Tables, covers_topics, find, matches
from extractors.sql import account
from extractors.sql.cells import texts
from extractors.sql.dialects.base import Form
from extractors.sql.sessions import Session
from extractors.sql.statement import Sql
from migrate.core.flow import SourceSpec, StoreSpec
from migrate.core.ports import Claim, Control, Population

IN_DOUBT = " (in doubt)"
ACKNOWLEDGED = " (acknowledged)"


def population(session: Session, tables: Tables, source: SourceSpec) -> Population:
    """What a source holds now.

    Controls: `rows` (units: messages of queues, and of topics what each subscription has still to
    get); `frame_bytes`, as stored, of all its rows; without topics `first_key` and `last_key`.
    """
    scan = tables.scan(source)
    stored = account.population(session, scan)
    by_name = {control.name: control for control in stored.controls}
    controls = []
    if covers_topics(source.from_):
        query = _units(tables, source.from_)
        controls.append(Control("rows", query, str(_number(session, query))))
    else:
        controls.append(by_name["rows"])
        controls += [by_name[name] for name in ("first_key", "last_key") if name in by_name]
    if size := by_name.get("body_bytes"):
        controls.append(Control("frame_bytes", size.query, size.value))
    rows = int(controls[0].value)
    return Population(rows, stored.high_water if rows else None, tuple(controls))


def claims(
    session: Session, tables: Tables, spec: StoreSpec, sources: Sequence[SourceSpec]
) -> Iterator[Claim]:
    """Every container by how many flows claim its messages.

    Three kinds of rows that no flow reads stand on lines of their own: of open transactions
    (`NAME (in doubt)`: claimed only by being put out of scope), of topics that no subscription
    waits for (`NAME (acknowledged)`: claimed with their topic).
    """
    for container, rows in _groups(session, tables, tables.conditions("*")):
        if not container.startswith(TOPIC):
            yield _claim(spec, sources, container, container, rows)
    yield from _topics(session, tables, spec, sources)
    if find(tables.msgs, "XID"):
        doubtful = tables.conditions("*", in_doubt=True)
        for container, rows in _groups(session, tables, doubtful):
            name = f"{container}{IN_DOUBT}"
            yield Claim(name, int(_is_declared(spec, name)), rows)


def _topics(
    session: Session, tables: Tables, spec: StoreSpec, sources: Sequence[SourceSpec]
) -> Iterator[Claim]:
    waiting = f"{_joined(tables, '*')} GROUP BY {tables.quoted('CONTAINER')}"
    for container, rows in _named_counts(session, tables, waiting):
        yield _claim(spec, sources, container, container, rows)
    for container, rows in _named_counts(session, tables, _acknowledged(tables)):
        yield _claim(spec, sources, container, f"{container}{ACKNOWLEDGED}", rows)


def _claim(
    spec: StoreSpec, sources: Sequence[SourceSpec], container: str, label: str, rows: int
) -> Claim:
    flows = tuple(source.flow for source in sources if matches(source.from_, container))
    return Claim(label, len(flows) + int(_is_declared(spec, label)), rows, flows)


def _is_declared(spec: StoreSpec, label: str) -> bool:
    return any(fnmatchcase(label, pattern) for pattern, _ in spec.out_of_scope)


def counts(session: Session, tables: Tables) -> dict[str, tuple[int, int]]:
    """By container: rows and bytes as stored, without those of open transactions."""
    size = tables.dialect.integer(f"COALESCE(SUM({tables.dialect.octets(tables.msg('MSG'))}), 0)")
    where = tables.conditions("*")
    rows = dict(_groups(session, tables, where))
    bytes_ = dict(_groups(session, tables, where, size))
    return {name: (rows[name], bytes_[name]) for name in rows}


def in_doubt(session: Session, tables: Tables) -> dict[str, int]:
    """By container: rows of open transactions."""
    if find(tables.msgs, "XID") is None:
        return {}
    return dict(_groups(session, tables, tables.conditions("*", in_doubt=True)))


def units_by_topic(session: Session, tables: Tables) -> dict[str, int]:
    """By topic: what its subscriptions have still to get, all together."""
    query = f"{_joined(tables, '*')} GROUP BY {tables.quoted('CONTAINER')}"
    return dict(_named_counts(session, tables, query))


def _groups(
    session: Session, tables: Tables, conditions: Sequence[str], value: str | None = None
) -> Iterator[tuple[str, int]]:
    """A number for every container."""
    container = tables.quoted("CONTAINER")
    value = value or tables.dialect.integer("COUNT(*)")
    query = f" FROM {tables.dialect.table(tables.msgs)} WHERE {' AND '.join(conditions) or '1=1'}"
    yield from _named_counts(session, tables, f"{query} GROUP BY {container}", value)


def _named_counts(
    session: Session, tables: Tables, tail: str, value: str | None = None
) -> Iterator[tuple[str, int]]:
    column = tables.msg("CONTAINER")
    forms = [
        *tables.dialect.forms(column),
        Form(value or tables.dialect.integer("COUNT(*)"), "integer"),
    ]
    listed = ", ".join(form.expression for form in forms)
    *arrays, numbers = session.fetch(Sql(f"SELECT {listed}{tail}"), forms)
    names = texts(tables.dialect.cells(column, arrays)).to_pylist()
    yield from sorted(zip(names, numbers.to_pylist(), strict=True))


def _units(tables: Tables, from_: str) -> str:
    """Messages of queues, and one for each subscription that waits for one of a topic."""
    waiting = f"SELECT COUNT(*){_joined(tables, from_)}"
    if from_.startswith(TOPIC):
        return waiting
    where = " AND ".join([*tables.conditions(from_), f"NOT ({_is_topic(tables)})"])
    queues = f"SELECT COUNT(*) FROM {tables.dialect.table(tables.msgs)} WHERE {where}"
    dual = " FROM DUAL" if tables.dialect.backend == "oracle" else ""
    return f"SELECT ({queues}) + ({waiting}){dual}"


def _joined(tables: Tables, from_: str) -> str:
    """FROM … WHERE: a row for every message of a topic and subscription that waits for it."""
    where = [
        *tables.conditions(from_),
        _is_topic(tables),
        f"{tables.quoted('CONTAINER')} = s.isb_topic",
        f"NOT {_is_acknowledged(tables)}",
    ]
    msgs = tables.dialect.table(tables.msgs)
    return f" FROM {msgs} m, {_subscriptions(tables)} s WHERE {' AND '.join(where)}"


def _acknowledged(tables: Tables) -> str:
    """FROM … WHERE: the messages of topics that no subscription waits for."""
    waits = (
        f"SELECT 1 FROM {_subscriptions(tables)} s WHERE s.isb_topic ="
        f" m.{tables.quoted('CONTAINER')} AND NOT {_is_acknowledged(tables)}"
    )
    where = [*tables.conditions("*"), _is_topic(tables), f"NOT EXISTS ({waits})"]
    return (
        f" FROM {tables.dialect.table(tables.msgs)} m WHERE {' AND '.join(where)}"
        f" GROUP BY {tables.quoted('CONTAINER')}"
    )


def _is_topic(tables: Tables) -> str:
    return tables.conditions(f"{TOPIC}*")[0]


def _subscriptions(tables: Tables) -> str:
    """The subscriptions, each with how many rows it has."""
    topic, client, name = (_ack(tables, each) for each in ("CONTAINER", "CLIENT_ID", "SUB_NAME"))
    return (
        f"(SELECT {topic} isb_topic, {client} isb_client, {name} isb_name, COUNT(*) isb_rows"
        f" FROM {tables.dialect.table(tables.acks)} GROUP BY {topic}, {client}, {name})"
    )


def _is_acknowledged(tables: Tables) -> str:
    """EXISTS: subscription `s` has acknowledged message `m`."""
    topic, client, name = (_ack(tables, each) for each in ("CONTAINER", "CLIENT_ID", "SUB_NAME"))
    counts_for = ["s.isb_rows = 1"]
    ours, theirs = find(tables.msgs, "PRIORITY"), find(tables.acks, "PRIORITY")
    if ours and theirs:
        quote = tables.dialect.quote
        counts_for.append(f"a.{quote(theirs.name)} = m.{quote(ours.name)}")
    return (
        f"EXISTS (SELECT 1 FROM {tables.dialect.table(tables.acks)} a"
        f" WHERE a.{topic} = s.isb_topic AND a.{client} = s.isb_client AND a.{name} = s.isb_name"
        f" AND a.{_ack(tables, 'LAST_ACKED_ID')} >= m.{tables.quoted('ID')}"
        f" AND ({' OR '.join(counts_for)}))"
    )


def _ack(tables: Tables, name: str) -> str:
    column = find(tables.acks, name)
    assert column is not None
    return tables.dialect.quote(column.name)


def _number(session: Session, query: str) -> int:
    value: int | None = session.fetch(Sql(query), [Form("", "integer")])[0][0].as_py()
    return value or 0
