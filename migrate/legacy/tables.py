"""Rules out of a table: a row a rule, its columns named in the plan.

A message enters at one node; every enabled row that matches leads it to the row's endpoint, or
only the first in their order. A cell that is null, or one of the texts that stand for anything,
sets no condition.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

import pyarrow as pa

from migrate.legacy.conditions import Bounded, Equals, Matches, Selected, all_of
from migrate.legacy.errors import BadRules
from migrate.legacy.model import Condition, Endpoint, Entry, Rule, Topology
from migrate.legacy.selector import Selector, SelectorError, parse
from migrate.legacy.values import Message

BUS = "the bus"
YES = frozenset({"1", "t", "true", "y", "yes", "on", "enabled", "active"})
NO = frozenset({"0", "f", "false", "n", "no", "off", "disabled", "inactive"})

Row = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class RuleColumns:
    """Which column of a table of rules means what; None: it has none.

    `equal`, `like`, `least`, `most`: (what of the message, column of the table).
    """

    endpoint: str
    name: str | None = None
    order: str | None = None
    enabled: str | None = None
    selector: str | None = None
    lane: str | None = None
    equal: tuple[tuple[str, str], ...] = ()
    like: tuple[tuple[str, str], ...] = ()
    least: tuple[tuple[str, str], ...] = ()
    most: tuple[tuple[str, str], ...] = ()
    anything: frozenset[str] = frozenset()
    lanes: Mapping[str, str] = field(default_factory=dict)
    first: bool = False

    def used(self) -> Iterator[str]:
        """Every column of the table that is named."""
        single = (self.endpoint, self.name, self.order, self.enabled, self.selector, self.lane)
        yield from (column for column in single if column is not None)
        for pairs in (self.equal, self.like, self.least, self.most):
            yield from (column for _, column in pairs)


def read_rules(rules: pa.Table, columns: RuleColumns, listed: pa.Table | None = None) -> Topology:
    """The topology that tables of texts describe; `listed`: endpoints, the first column the name.

    Raises BadRules naming the row (from 1) and the column.
    """
    absent = [column for column in columns.used() if column not in rules.column_names]
    if absent:
        raise BadRules(
            "columns",
            f'there is no column "{absent[0]}" among the rules',
            f"there are: {', '.join(rules.column_names)}",
        )
    found = [_rule(number, row, columns) for number, row in enumerate(rules.to_pylist(), 1)]
    endpoints = _endpoints(listed)
    for rule in found:
        endpoints.setdefault(rule.target, Endpoint(rule.target))
    entry = Entry(frozenset(), _at_the_bus)
    first = frozenset({BUS}) if columns.first else frozenset[str]()
    return Topology(tuple(endpoints.values()), found, entry, first=first)


def _at_the_bus(message: Message) -> str:
    return BUS


def _endpoints(listed: pa.Table | None) -> dict[str, Endpoint]:
    if listed is None or not listed.num_columns:
        return {}
    name, *rest = listed.column_names
    return {
        row[name]: Endpoint(row[name], {key: row[key] for key in rest if row[key]})
        for row in listed.to_pylist()
        if row[name]
    }


def _rule(number: int, row: Row, columns: RuleColumns) -> Rule:
    endpoint = row[columns.endpoint]
    if not endpoint:
        raise BadRules(f"row {number}", f"{columns.endpoint} is empty: it leads nowhere")
    conditions = list(_conditions(number, row, columns))
    return Rule(
        name=_name(number, row, columns, endpoint),
        source=BUS,
        target=endpoint,
        when=all_of(conditions),
        order=_order(number, row, columns),
        enabled=_enabled(number, row, columns),
        lane=_lane(number, row, columns),
    )


def _conditions(number: int, row: Row, columns: RuleColumns) -> Iterator[Condition]:
    for name, column in columns.equal:
        if (text := _given(row, column, columns)) is not None:
            yield Equals(name, text)
    for name, column in columns.like:
        if (text := _given(row, column, columns)) is not None:
            yield Matches(name, text)
    for name, column in columns.least:
        if (text := _given(row, column, columns)) is not None:
            yield Bounded(name, _number(number, column, text), "least")
    for name, column in columns.most:
        if (text := _given(row, column, columns)) is not None:
            yield Bounded(name, _number(number, column, text), "most")
    text = row[columns.selector] if columns.selector else None
    if text and text.strip():
        yield Selected(_selector(number, columns.selector or "", text))


def _given(row: Row, column: str, columns: RuleColumns) -> str | None:
    text = row[column]
    return None if text is None or text in columns.anything else text


def _selector(number: int, column: str, text: str) -> Selector:
    try:
        return parse(text)
    except SelectorError as error:
        raise BadRules(
            f"row {number}, {column}", f"is no selector: {error}", "as the legacy bus would read it"
        ) from None


def _number(number: int, column: str, text: str) -> Decimal:
    try:
        return Decimal(text.strip())
    except InvalidOperation:
        raise BadRules(f"row {number}, {column}", "is no number") from None


def _name(number: int, row: Row, columns: RuleColumns, endpoint: str) -> str:
    """The table's own name of a rule, or what it says: `CUST, NSPIS.CUSTODY → NFD`."""
    own = row[columns.name] if columns.name else None
    if own:
        return own
    pairs = [(column, row[column]) for _, column in (*columns.equal, *columns.like)]
    said = [text for column, text in pairs if text is not None and text not in columns.anything]
    bounds = [(" ≥ ", columns.least), (" ≤ ", columns.most)]
    for sign, places in bounds:
        said += [
            f"{name}{sign}{row[column]}" for name, column in places if _given(row, column, columns)
        ]
    selector = row[columns.selector] if columns.selector else None
    said += [selector] if selector else []
    return f"{', '.join(said) or f'row {number}'} → {endpoint}"


def _order(number: int, row: Row, columns: RuleColumns) -> int:
    text = row[columns.order] if columns.order else None
    if text is None:
        return 0
    try:
        return int(text)
    except ValueError:
        raise BadRules(f"row {number}, {columns.order}", "is no whole number") from None


def _enabled(number: int, row: Row, columns: RuleColumns) -> bool:
    text = row[columns.enabled] if columns.enabled else "1"
    word = (text or "").strip().lower()
    if word not in YES | NO:
        raise BadRules(
            f"row {number}, {columns.enabled}",
            "says neither yes nor no",
            f"yes is one of {', '.join(sorted(YES))}; no one of {', '.join(sorted(NO))}",
        )
    return word in YES


def _lane(number: int, row: Row, columns: RuleColumns) -> str | None:
    text = row[columns.lane] if columns.lane else None
    if text is None or text in columns.anything:
        return None
    if text not in columns.lanes:
        raise BadRules(
            f"row {number}, {columns.lane}",
            "stands for no lane of the new bus",
            f"say which in `lanes`; it knows {', '.join(columns.lanes) or 'none'}",
        )
    return columns.lanes[text]
