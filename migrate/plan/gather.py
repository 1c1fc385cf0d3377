"""Looking up what a plan names: mappings, schemas, reference files, connections."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from migrate.core.flow import CLAIM_BASE, BusSpec, ClaimsSpec, StoreSpec
from migrate.plan.build import build_store, build_table
from migrate.plan.expand import Expander, Unresolved, settle
from migrate.plan.flow_model import OutputModel
from migrate.plan.inputs import Inputs, MissingInput, mapping_name, schema_name
from migrate.plan.model import BusModel, ClaimsModel, PlanModel, StoreModel
from migrate.plan.plan import TableSpec
from migrate.plan.problem import Problem, wrong

_T = TypeVar("_T")


@dataclass(slots=True)
class Gathering:
    """What is looked up for one plan; problems are collected, not raised.

    `texts` holds mappings and schemas by sealed name, `sources` the digests of
    reference files. A reference of the bus that has no value is no problem until
    a real run needs it: `bus_problem`. Without `connections` no URL is expanded: there
    are no stores, and the bus has its name and kind only.
    """

    model: PlanModel
    inputs: Inputs
    expander: Expander
    connections: bool = True
    problems: list[Problem] = field(default_factory=list)
    texts: dict[str, bytes] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    stores: dict[str, StoreSpec] = field(default_factory=dict)
    tables: dict[str, TableSpec] = field(default_factory=dict)
    bus: BusSpec = field(default_factory=lambda: BusSpec("", "", ""))
    bus_problem: Problem | None = None

    def all(self) -> None:
        """Look everything up."""
        for where, flow, output in self._outputs():
            self._mapping(where, flow, output)
            self._schema(where, output)
        for name in self.model.tables:
            self._table(name)
        if self.connections:
            for name in self.model.store:
                self._store(name)
        self._bus()

    def _outputs(self) -> Iterator[tuple[str, str, OutputModel]]:
        for name, flow in self.model.flow.items():
            for index, output in enumerate(flow.output):
                yield f"flow.{name}.output[{index}]", name, output

    def _mapping(self, where: str, flow: str, output: OutputModel) -> None:
        if (output.map is None) == (output.sql is None):
            return  # reported by the cross checks
        key = f"{where}.{'map' if output.sql is None else 'sql'}"
        data = self._input(where, lambda: self.inputs.mapping(flow, output))
        if data is not None and self._is_text(key, data):
            self.texts[mapping_name(flow, output.name)] = data

    def _schema(self, where: str, output: OutputModel) -> None:
        data = self._input(where, lambda: self.inputs.schema(output))
        if data is None or not self._is_text(f"{where}.schema", data):
            return
        if self.texts.setdefault(schema_name(output.type), data) != data:
            self.problems.append(
                wrong(
                    f"{where}.schema",
                    f"differs from another output's schema of {output.type}",
                    "one type, one schema: give the other a version of its own",
                )
            )

    def _is_text(self, where: str, data: bytes) -> bool:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            self.problems.append(wrong(where, "is not UTF-8 text", "save the file as UTF-8"))
            return False
        if not text.strip():
            self.problems.append(wrong(where, "is an empty file"))
        return bool(text.strip())

    def _table(self, name: str) -> None:
        spec = build_table(name, self.model.tables[name], self.expander.folder)
        self.tables[name] = spec
        path = spec.path
        if path is not None:
            digest = self._input(f"tables.{name}", lambda: self.inputs.source(name, path))
            if digest is not None:
                self.sources[name] = digest

    def _input(self, where: str, read: Callable[[], _T]) -> _T | None:
        try:
            return read()
        except MissingInput as error:
            key = f"{where}.{error.key}" if error.key else where
            self.problems.append(wrong(key, error.message, error.hint))
            return None

    def _store(self, name: str) -> None:
        store = self.model.store[name]
        try:
            url, options = self._connection(store)
        except Unresolved as error:
            self.problems.append(wrong(f"store.{name}.url", error.message, error.hint))
            return
        self.stores[name] = build_store(name, store, url, options)

    def _bus(self) -> None:
        name, bus = next(iter(self.model.bus.items()))
        found = self._needed_by_a_run(f"bus.{name}.url", lambda: self._connection(bus))
        url, options = found or ("", {})
        claims = None if bus.claims is None else self._claims(name, bus.claims)
        self.bus = BusSpec(name, bus.kind, url, tuple(options.items()), claims)

    def _claims(self, bus: str, claims: ClaimsModel) -> ClaimsSpec:
        url = self._needed_by_a_run(
            f"bus.{bus}.claims.url",
            lambda: settle(claims.kind, self.expander.expand(claims.url), self.expander.folder),
        )
        namespace = self.model.plan.namespace
        return ClaimsSpec(
            claims.kind, url or "", claims.above, namespace, claims.base or CLAIM_BASE
        )

    def _needed_by_a_run(self, where: str, resolve: Callable[[], _T]) -> _T | None:
        """What only a real run needs; None where it has no value here."""
        try:
            return resolve() if self.connections else None
        except Unresolved as error:
            problem = wrong(where, error.message, error.hint)
            if not error.absent:
                self.problems.append(problem)
            elif self.bus_problem is None:
                self.bus_problem = problem
            return None

    def _connection(self, section: StoreModel | BusModel) -> tuple[str, dict[str, str]]:
        url = settle(section.kind, self.expander.expand(section.url), self.expander.folder)
        options = {key: self.expander.expand(value) for key, value in section.options.items()}
        return url, options
