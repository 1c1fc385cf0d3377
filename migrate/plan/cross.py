"""Checks across the plan: names that must be declared, and keys that fit the kind of store."""

from collections.abc import Collection, Iterator
from pathlib import PurePath

from extractors import STORES
from loaders import BUSES
from loaders.claims import CLAIM_STORES
from migrate.core.flow import ARCHIVE
from migrate.plan.cross_flow import flow_problems
from migrate.plan.cross_legacy import legacy_problems
from migrate.plan.cross_ramp import ramp_problems
from migrate.plan.expand import secret_problems
from migrate.plan.explain import did_you_mean
from migrate.plan.model import BusModel, ClaimsModel, PlanModel, StoreModel
from migrate.plan.problem import Problem, doubtful, wrong
from migrate.plan.table_model import TableModel
from migrate.plan.walk import key_path

TABLE_SUFFIXES = (".csv", ".parquet")
_SQL_STORE = ("schema_", "adbc")


def cross_problems(plan: PlanModel) -> Iterator[Problem]:
    """Everything wrong or doubtful in a plan whose parts each fit the model."""
    for name, store in plan.store.items():
        yield from _store(plan, name, store)
    for name, table in plan.tables.items():
        yield from _table(plan, name, table)
    yield from _buses(plan)
    yield from ramp_problems(plan)
    yield from _one_spelling(plan)
    for flow in plan.flow:
        yield from flow_problems(plan, flow)
    yield from legacy_problems(plan)
    yield from _unused(plan)


def _store(plan: PlanModel, name: str, store: StoreModel) -> Iterator[Problem]:
    where = f"store.{name}"
    yield from secret_problems(where, store.url, store.options)
    if store.kind not in STORES:
        yield unknown(f"{where}.kind", "kind of store", store.kind, STORES)
    if store.kind == "files":
        for key in store.model_fields_set.intersection(_SQL_STORE):
            yield wrong(f"{where}.{key.rstrip('_')}", "means nothing to a store of files")
    for claimed in store.out_of_scope:
        takers = [
            flow for flow, one in plan.flow.items() if (one.store, one.from_) == (name, claimed)
        ]
        if takers:
            yield wrong(
                key_path(("store", name, "out_of_scope", claimed)),
                f"is declared out of scope and read by flow {takers[0]}",
                "take it out of one of the two",
            )


def _table(plan: PlanModel, name: str, table: TableModel) -> Iterator[Problem]:
    where = f"tables.{name}"
    asked = table.store is not None or table.query is not None
    if asked == (table.path is not None):
        yield wrong(
            where,
            "must be either a file or a query",
            '"ref/codes.csv", or { store = "isb", query = "SELECT …" }',
        )
    elif asked:
        yield from _query(plan, where, table)
    elif PurePath(table.path or "").suffix.lower() not in TABLE_SUFFIXES:
        yield wrong(where, "is neither CSV nor Parquet", "a file that ends in .csv or .parquet")


def _query(plan: PlanModel, where: str, table: TableModel) -> Iterator[Problem]:
    if table.store is None or table.query is None:
        missing = "store" if table.store is None else "query"
        yield wrong(
            f"{where}.{missing}", "is missing", "a query needs a store, and a store a query"
        )
    elif table.store not in plan.store:
        yield unknown(f"{where}.store", "store", table.store, plan.store)


def _buses(plan: PlanModel) -> Iterator[Problem]:
    if len(plan.bus) > 1:
        yield wrong(
            "bus", f"names {len(plan.bus)} buses: {', '.join(plan.bus)}", "a plan has exactly one"
        )
    for name, bus in plan.bus.items():
        yield from _bus(f"bus.{name}", bus)


def _bus(where: str, bus: BusModel) -> Iterator[Problem]:
    yield from secret_problems(where, bus.url, bus.options)
    if bus.kind not in BUSES:
        yield unknown(f"{where}.kind", "kind of bus", bus.kind, BUSES)
    if bus.claims is not None:
        yield from _claims(f"{where}.claims", bus.claims)


def _claims(where: str, claims: ClaimsModel) -> Iterator[Problem]:
    yield from secret_problems(where, claims.url, {})
    if claims.kind not in CLAIM_STORES:
        yield unknown(f"{where}.kind", "kind of claim store", claims.kind, CLAIM_STORES)
    elif claims.kind == "folder" and "://" in claims.url.removeprefix("file://"):
        yield wrong(f"{where}.url", "names no folder", 'a path, or kind = "sql" for a database')


def _one_spelling(plan: PlanModel) -> Iterator[Problem]:
    """Names that differ by case only: SQL and some file systems take them for one."""
    for section, names in (("tables", list(plan.tables)), ("offramp", list(plan.offramp))):
        seen: dict[str, str] = {}
        for name in names:
            first = seen.setdefault(name.lower(), name)
            if first != name:
                yield wrong(f"{section}.{name}", f'differs from "{first}" by case only')


def _unused(plan: PlanModel) -> Iterator[Problem]:
    flows = plan.flow.values()
    targets = {route.to for flow in flows for output in flow.output for route in output.routes}
    for ramp in plan.offramp:
        if ramp not in targets and ramp != ARCHIVE:
            yield doubtful(f"offramp.{ramp}", "no route leads here")
    used = {flow.store for flow in flows} | {table.store for table in plan.tables.values()}
    used |= {table.store for one in plan.legacy.values() for table in one.named_tables().values()}
    for store in plan.store:
        if store not in used:
            yield doubtful(f"store.{store}", "no flow reads this store", "all of it is unclaimed")


def unknown(where: str, what: str, name: str, known: Collection[str]) -> Problem:
    """A name that is declared nowhere."""
    return wrong(where, f'there is no {what} "{name}"', did_you_mean(name, known))
