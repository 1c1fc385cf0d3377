"""Reading what a plan says of how legacy buses route, into topologies."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import pyarrow as pa

from migrate.core.errors import PlanError
from migrate.legacy.activemq import Subscription, read_configuration
from migrate.legacy.errors import BadRules
from migrate.legacy.facts import Facts
from migrate.legacy.model import Topology
from migrate.legacy.rabbitmq import read_definitions
from migrate.legacy.tables import RuleColumns, read_rules
from migrate.plan.build import build_table
from migrate.plan.legacy_model import ActiveMQModel, ExpectedModel, LegacyModel, RulesModel
from migrate.plan.plan import Plan
from migrate.plan.table_model import TableModel
from migrate.plan.tables import read_table

_T = TypeVar("_T")
_SUBSCRIPTION = ("CONTAINER", "CLIENT_ID", "SUB_NAME", "SELECTOR")


@dataclass(frozen=True, slots=True)
class Legacy:
    """One legacy bus: its topology, and what the plan says of it."""

    name: str
    kind: str  # tables, rabbitmq or activemq
    topology: Topology
    flows: Mapping[str, Mapping[str, str]]
    endpoints: Mapping[str, str]
    names: Mapping[str, str] = field(default_factory=dict)
    stands: tuple[str, ...] = ()
    expected: tuple[ExpectedModel, ...] = ()

    def facts(self, flow: str) -> Facts:
        """What its rules see of a flow's messages."""
        return Facts(self.topology.names, self.flows[flow], self.names)

    def successors(self, plan: Plan, flow: str) -> dict[str, str]:
        """By endpoint the off-ramp in its place, for a flow's messages; the flow's word first."""
        own = dict(plan.flows[flow].source.endpoints)
        found = {name: name for name in self._endpoints() if name in plan.offramps}
        return {**found, **self.endpoints, **own}

    def _endpoints(self) -> list[str]:
        return [endpoint.name for endpoint in self.topology.endpoints]


def read_all(plan: Plan) -> list[Legacy]:
    """Every legacy bus of a plan, read now. Errors as for read_legacy."""
    return [read_legacy(plan, name) for name in plan.model.legacy]


def read_legacy(plan: Plan, name: str) -> Legacy:
    """One legacy bus, read now.

    Raises PlanError naming the place in the plan, LegacyUnreadable for a store.
    """
    model = plan.model.legacy[name]
    where = f"legacy.{name}"
    if model.tables is not None:
        kind, topology = "tables", _tables(plan, f"{where}.tables", model, model.tables)
    elif model.rabbitmq is not None:
        kind, of = "rabbitmq", model.rabbitmq
        text = _file(plan, f"{where}.rabbitmq.definitions", of.definitions)
        topology = _told(
            plan,
            f"{where}.rabbitmq",
            lambda: read_definitions(text.decode("utf-8-sig", "replace"), of.vhost),
        )
    else:
        assert model.activemq is not None
        kind, topology = "activemq", _activemq(plan, f"{where}.activemq", model.activemq)
    return Legacy(
        name,
        kind,
        topology,
        model.flows,
        model.endpoints,
        model.names,
        tuple(model.stands),
        tuple(model.expected),
    )


def _tables(plan: Plan, where: str, model: LegacyModel, rules: RulesModel) -> Topology:
    columns = RuleColumns(
        endpoint=rules.endpoint,
        name=rules.name,
        order=rules.order,
        enabled=rules.enabled,
        selector=rules.selector,
        lane=rules.lane,
        equal=tuple(rules.equal.items()),
        like=tuple(rules.like.items()),
        least=tuple(rules.at_least.items()),
        most=tuple(rules.at_most.items()),
        anything=frozenset(rules.anything),
        lanes=model.lanes,
        first=rules.first,
    )
    table = _table(plan, f"{where}.rules", rules.rules)
    listed = rules.endpoints and _table(plan, f"{where}.endpoints", rules.endpoints)
    return _told(plan, where, lambda: read_rules(table, columns, listed))


def _activemq(plan: Plan, where: str, model: ActiveMQModel) -> Topology:
    text = _file(plan, f"{where}.config", model.config)
    queues = [] if model.queues is None else _names(_table(plan, f"{where}.queues", model.queues))
    waiting: list[Subscription] = []
    if model.subscriptions is not None:
        place = f"{where}.subscriptions"
        waiting = _told(
            plan, place, lambda: _subscriptions(_table(plan, place, model.subscriptions))
        )
    return _told(plan, where, lambda: read_configuration(text, queues, waiting))


def _names(table: pa.Table) -> list[str]:
    """The queues among the destinations of a first column; a topic there is nothing to send to."""
    names = table.column(0).drop_null().to_pylist() if table.num_columns else []
    return [name for name in dict.fromkeys(names) if not name.startswith("topic://")]


def _subscriptions(table: pa.Table) -> list[Subscription]:
    """One a (client, name), whatever its priorities."""
    by_name = {name.upper(): name for name in table.column_names}
    if missing := [name for name in _SUBSCRIPTION if name not in by_name]:
        raise BadRules("columns", f"there is no column {missing[0]}")
    columns = [table.column(by_name[name]).to_pylist() for name in _SUBSCRIPTION]
    return list(dict.fromkeys(Subscription(*row) for row in zip(*columns, strict=True)))


def _table(plan: Plan, where: str, model: TableModel | None) -> pa.Table:
    assert model is not None
    try:
        return read_table(plan, build_table(where, model, plan.folder))
    except PlanError as error:
        raise PlanError(error.problem, file=str(plan.file), key=where, hint=error.hint) from None


def _file(plan: Plan, where: str, name: str) -> bytes:
    path = plan.folder / name
    try:
        return path.read_bytes()
    except OSError as error:
        raise PlanError(
            f"{path} cannot be read ({error.strerror})",
            file=str(plan.file),
            key=where,
            hint="paths start at the plan's folder",
        ) from None


def _told(plan: Plan, where: str, read: Callable[[], _T]) -> _T:
    """What is wrong with rules, told with its place in the plan."""
    try:
        return read()
    except BadRules as error:
        raise PlanError(
            f"{error.place}: {error.message}", file=str(plan.file), key=where, hint=error.hint
        ) from None
