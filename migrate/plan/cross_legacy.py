"""Checks of what a plan says of legacy routing: names that must be declared elsewhere."""

from collections import Counter
from collections.abc import Iterator
from pathlib import PurePath

from migrate.plan.explain import did_you_mean
from migrate.plan.legacy_model import ExpectedModel, LegacyModel
from migrate.plan.model import PlanModel
from migrate.plan.problem import Problem, wrong
from migrate.plan.table_model import TableModel
from migrate.plan.walk import key_path

_NARROWING = ("kind", "flow", "rule", "endpoint", "offramp", "output", "fate", "fate_rule")


def legacy_problems(plan: PlanModel) -> Iterator[Problem]:
    """Everything wrong in the sections `[legacy.NAME]`."""
    owners: dict[str, str] = {}
    for name, legacy in plan.legacy.items():
        where = key_path(("legacy", name))
        yield from _notation(where, legacy)
        yield from _flows(plan, where, name, legacy, owners)
        for endpoint, ramp in legacy.endpoints.items():
            if ramp not in plan.offramp:
                place = f"{where}.endpoints.{key_path((endpoint,))}"
                yield wrong(
                    place, f'there is no off-ramp "{ramp}"', did_you_mean(ramp, plan.offramp)
                )
        for key, table in legacy.named_tables().items():
            yield from _table(plan, f"{where}.{key}", table)
        yield from _expected(plan, where, legacy)


def _notation(where: str, legacy: LegacyModel) -> Iterator[Problem]:
    given = [name for name in ("tables", "rabbitmq", "activemq") if getattr(legacy, name)]
    if len(given) != 1:
        yield wrong(
            where,
            f"has {' and '.join(given)}" if given else "does not say how the bus routes",
            "exactly one of tables, rabbitmq and activemq",
        )
    if legacy.lanes and (legacy.tables is None or legacy.tables.lane is None):
        yield wrong(f"{where}.lanes", "is for `tables.lane`, which is missing")


def _flows(
    plan: PlanModel, where: str, name: str, legacy: LegacyModel, owners: dict[str, str]
) -> Iterator[Problem]:
    for flow in legacy.flows:
        place = f"{where}.flows.{key_path((flow,))}"
        if flow not in plan.flow:
            yield wrong(place, f'there is no flow "{flow}"', did_you_mean(flow, plan.flow))
        elif owners.setdefault(flow, name) != name:
            yield wrong(place, f"is routed by legacy.{owners[flow]} already", "one bus a flow")


def _table(plan: PlanModel, where: str, table: TableModel) -> Iterator[Problem]:
    asked = table.store is not None and table.query is not None
    if asked == (table.path is not None) or (table.store is None) != (table.query is None):
        yield wrong(
            where,
            "must be either a file or a query",
            '"ref/routes.csv", or { store = "isb", query = "SELECT …" }',
        )
    elif table.store is not None and table.store not in plan.store:
        hint = did_you_mean(table.store, plan.store)
        yield wrong(f"{where}.store", f'there is no store "{table.store}"', hint)
    elif table.path and PurePath(table.path).suffix.lower() not in (".csv", ".parquet"):
        yield wrong(where, "is neither CSV nor Parquet", "a file that ends in .csv or .parquet")


def _expected(plan: PlanModel, where: str, legacy: LegacyModel) -> Iterator[Problem]:
    often = Counter(one.name for one in legacy.expected)
    for index, one in enumerate(legacy.expected):
        place = f"{where}.expected[{index}]"
        if often[one.name] > 1:
            yield wrong(f"{place}.name", f'"{one.name}" stands there {often[one.name]} times')
        if all(getattr(one, key) is None for key in _NARROWING):
            yield wrong(
                place,
                "declares every deviation there could be",
                f"say of which: {', '.join(_NARROWING)}",
            )
        yield from _declared(plan, place, legacy, one)


def _declared(
    plan: PlanModel, place: str, legacy: LegacyModel, one: ExpectedModel
) -> Iterator[Problem]:
    if one.flow is not None and one.flow not in legacy.flows:
        hint = did_you_mean(one.flow, legacy.flows)
        yield wrong(f"{place}.flow", f'"{one.flow}" is none of its flows', hint)
        return
    names = [name for name in legacy.flows if one.flow in (None, name) and name in plan.flow]
    flows = [plan.flow[name] for name in names]
    rules = {rule.rule for flow in flows for rule in flow.fate}
    outputs = {output.name for flow in flows for output in flow.output}
    for key, value, known in (
        ("offramp", one.offramp, set(plan.offramp)),
        ("fate_rule", one.fate_rule, rules),
        ("output", one.output, outputs),
    ):
        if value is not None and value not in known:
            what = key.replace("_", " ").replace("offramp", "off-ramp")
            hint = did_you_mean(value, known)
            yield wrong(f"{place}.{key}", f'there is no {what} "{value}"', hint)
