"""A flow's rules, mappings, schemas and invariants compiled without data."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import pyarrow as pa

from migrate.core.errors import MigrateError, PlanError
from migrate.core.flow import FlowSpec, InvariantSpec, OutputSpec
from migrate.transform.contract import Broken, Contract, Shape
from migrate.transform.reading import Payloads
from migrate.transform.relation import name_clashes
from migrate.transform.validate import SchemaCheck

Problem = tuple[str, str]
"""Place in the plan and what is wrong there."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a flow's SQL turned out to be: which rules need the payload, what outputs return."""

    needs_payload: list[bool]
    shapes: list[Shape]


def check_flow(flow: FlowSpec, tables: Mapping[str, pa.Table]) -> list[Problem]:
    """Every rule, mapping, schema, selector and invariant of a flow that breaks the contract.

    Places are keys of the plan such as `flow.custody.output.footwear.map`. No row is read.
    """
    checked = _Checked(flow)
    checked.run(tables)
    return checked.problems


def compiled(flow: FlowSpec, tables: Mapping[str, pa.Table]) -> Compiled:
    """A flow ready to derive. Raises PlanError with the first problem."""
    checked = _Checked(flow)
    checked.run(tables)
    if checked.problems:
        place, problem = checked.problems[0]
        raise PlanError(problem, key=place)
    return Compiled(checked.needs_payload, [checked.shapes[each.name] for each in flow.outputs])


class _Checked:
    """One pass over a flow, collecting problems."""

    def __init__(self, flow: FlowSpec) -> None:
        self.problems: list[Problem] = []
        self.shapes: dict[str, Shape] = {}
        self.needs_payload: list[bool] = []
        self._flow = flow
        self._root = f"flow.{flow.name}"

    def run(self, tables: Mapping[str, pa.Table]) -> None:
        clashes = name_clashes(self._flow.payload)
        for name in clashes:
            self._add(f"payload.fields.{name}", "has the name of another column of message")
        self._try("payload", self._payload)
        if clashes:
            return
        try:
            contract = Contract(self._flow, tables)
        except PlanError as error:
            self.problems.append((error.key, error.problem))
            return
        with contract:
            self._check_all(contract)

    def _payload(self) -> None:
        try:
            Payloads(self._flow)
        except PlanError as error:
            fields = {field.name for field in self._flow.payload.fields}
            key = f"fields.{error.key}" if error.key in fields else error.key
            raise PlanError(error.problem, key=key, hint=error.hint) from None

    def _check_all(self, contract: Contract) -> None:
        for place, when in self._conditions():
            self._try(place, partial(contract.condition, when))
        if self._flow.correlation is not None:
            for part in ("request", "reply"):
                when = getattr(self._flow.correlation, part)
                self._try(f"correlation.{part}", partial(_correlation, contract, when))
        for output in self._flow.outputs:
            self._output(contract, output)
        for invariant in self._flow.invariants:
            check = partial(self._invariant, contract, invariant)
            self._try(f"invariant.{invariant.name}", check)
        self.needs_payload = contract.needs_payload(tuple(rule.when for rule in self._flow.fates))

    def _conditions(self) -> Iterator[Problem]:
        for rule in self._flow.fates:
            yield f"fate.{rule.rule}", rule.when
        for output in self._flow.outputs:
            if output.when is not None:
                yield f"output.{output.name}.when", output.when
            for route in output.routes:
                if route.when is not None:
                    yield f"output.{output.name}.routes.{route.to}", route.when

    def _output(self, contract: Contract, output: OutputSpec) -> None:
        place = f"output.{output.name}"
        self._try(f"{place}.schema", lambda: SchemaCheck(output.schema))

        def shape() -> None:
            self.shapes[output.name] = contract.mapping(output.sql)

        self._try(f"{place}.map", shape)

    def _invariant(self, contract: Contract, invariant: InvariantSpec) -> None:
        if invariant.output not in {each.name for each in self._flow.outputs}:
            raise Broken(f'there is no output "{invariant.output}"')
        if invariant.output in self.shapes:
            contract.invariant(invariant.sql, self.shapes[invariant.output])

    def _try(self, place: str, check: Callable[[], object]) -> None:
        try:
            check()
        except Broken as error:
            self._add(place, error.problem)
        except PlanError as error:
            self._add(f"{place}.{error.key}" if error.key else place, error.problem)
        except MigrateError as error:
            self._add(place, error.message)

    def _add(self, place: str, problem: str) -> None:
        self.problems.append((f"{self._root}.{place}", problem))


def _correlation(contract: Contract, when: str) -> None:
    """Requests and replies are told apart before, and whether or not, a payload is read."""
    contract.condition(when)
    if contract.needs_payload((when,)) == [True]:
        raise Broken("mentions the payload; only legacy columns are known of every message")
