"""Bringing the three sides onto the workbench; what cannot be had is a doubt, not an error."""

import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

from migrate.core.errors import MigrateError
from migrate.core.ports import Sight
from migrate.core.progress import Progress
from migrate.core.redact import Pseudonyms
from migrate.core.runfolder import RunFolder
from migrate.formats.expiry import Expiries
from migrate.plan.seal import Sealed, run_bus
from migrate.plan.stores import open_observer, open_store
from migrate.transform.derive import ENGINE
from reconcile import expected, observed
from reconcile.evidence import Evidence
from reconcile.expected import Expectation, Expected, sealed_segments
from reconcile.source import Sources, read_sources
from reconcile.work import Advance, Work

Doubts = list[tuple[str, str]]
"""(scope, reason) of what could not be verified; scopes are `run`, `bus`, `flow x`, `store y`."""


@dataclass(slots=True)
class Gathered:
    """The evidence, what could not be had of it, and how long each stage took."""

    evidence: Evidence
    doubts: Doubts
    derived: dict[str, Expectation] = field(default_factory=dict)
    timings: dict[str, dict[str, float]] = field(default_factory=dict)


def gather(folder: RunFolder, sealed: Sealed, work: Work, progress: Progress) -> Gathered:
    """Derive the expected side, observe the bus, read the stores again."""
    doubts: Doubts = list(_about_the_run(sealed))
    timings: dict[str, dict[str, float]] = {}
    rows = sum(population.rows for population in sealed.baseline.populations.values())
    with _stage("derive again", rows, timings, progress) as advance:
        derived = _derive(folder, sealed, work, doubts, advance)
    with _stage("observe the bus", None, timings, progress) as advance:
        sights = _observe(folder, sealed, work, doubts, advance)
    observed.part(work, (name for name, sight in (sights or {}).items() if sight.how == "counts"))
    with _stage("read the stores again", rows, timings, progress) as advance:
        found = _read_again(sealed, work, advance)
    evidence = _evidence(sealed, work, derived, found, sights)
    return Gathered(evidence, doubts + found.unverified, derived, timings)


def _evidence(
    sealed: Sealed,
    work: Work,
    derived: dict[str, Expectation],
    found: Sources,
    sights: Mapping[str, Sight] | None,
) -> Evidence:
    plan, baseline = sealed.plan, sealed.baseline
    return Evidence(
        work=work,
        run_id=baseline.run_id,
        namespace=plan.namespace,
        flows=plan.flows,
        hide=Pseudonyms(plan.namespace).of,
        offramps=plan.offramps,
        derived=frozenset(derived),
        reread=frozenset(found.reread),
        spools=frozenset(_spools(sealed)),
        bus_seen=sights is not None,
        sights=sights or {},
        same_engine=baseline.engine == ENGINE,
        populations=baseline.populations,
        totals={name: flow.totals for name, flow in derived.items()},
        totals_now=found.totals,
        controls_now=found.controls,
        claims=found.claims,
        tables=sealed.tables,
        pairs={
            (name, output): files
            for name, flow in derived.items()
            for output, files in flow.pairs.items()
        },
    )


def _about_the_run(sealed: Sealed) -> Iterator[tuple[str, str]]:
    baseline = sealed.baseline
    if not baseline.sealed:
        yield "run", "extraction was not completed: run the same command again to go on"
    for name in sealed.plan.flows:
        if name not in baseline.segments:
            yield f"flow {name}", "not part of this run"


def _derive(
    folder: RunFolder, sealed: Sealed, work: Work, doubts: Doubts, advance: Advance
) -> dict[str, Expectation]:
    """Every flow whose segments are whole and that derives."""
    plan, baseline = sealed.plan, sealed.baseline
    envelope = plan.envelope(baseline.as_of)
    expiries = Expiries.of(plan.offramps, baseline.as_of)
    whole: dict[str, Expected] = {}
    for number, (name, flow) in enumerate(plan.flows.items()):
        if name not in baseline.segments:
            continue
        side = Expected(work, baseline.run_id, number, expiries)
        segments = sealed_segments(folder, name, baseline.segments[name])
        try:
            side.derive(flow, segments, envelope, sealed.tables, advance)
            whole[name] = side
        except MigrateError as error:
            doubts.append((f"flow {name}", error.message))
            side.discard()
    expected.publish(work, list(whole.values()))
    return {name: side.found for name, side in whole.items()}


def _observe(
    folder: RunFolder, sealed: Sealed, work: Work, doubts: Doubts, advance: Advance
) -> dict[str, Sight] | None:
    """How the destinations are seen; None where the bus could not be read."""
    start = sealed.baseline.positions
    try:
        if start is None:
            doubts.append(("bus", "loading never began: run the same command again to go on"))
        else:
            bus = run_bus(folder, sealed.plan, sealed.baseline.kind)
            with closing(open_observer(bus, sealed.plan.offramps)) as observer:
                observed.observe(work, observer.observe(start), advance)
                return dict(observer.sights(start))
    except MigrateError as error:
        doubts.append(("bus", error.message))
    observed.nothing_observed(work)
    return None


def _read_again(sealed: Sealed, work: Work, advance: Advance) -> Sources:
    """The flows of the baseline, and what every store of the plan holds beside them."""
    plan = sealed.plan
    stores, flows = list(plan.stores.values()), list(plan.flows.values())
    return read_sources(work, stores, flows, sealed.baseline.segments, open_store, advance)


def _spools(sealed: Sealed) -> Iterator[str]:
    for name, flow in sealed.plan.flows.items():
        if sealed.plan.stores[flow.source.store].kind == "files":
            yield name


@contextmanager
def _stage(
    name: str, total: int | None, timings: dict[str, dict[str, float]], progress: Progress
) -> Iterator[Advance]:
    """Time a stage; yields what is to be told of the messages that have passed."""
    passed = 0

    def advance(messages: int) -> None:
        nonlocal passed
        passed += messages
        progress.advance(name, messages)

    progress.start(name, total)
    begun = time.perf_counter()
    try:
        yield advance
    finally:
        timings[name] = timing(time.perf_counter() - begun, passed)
        progress.finish(name)


def timing(seconds: float, messages: int) -> dict[str, float]:
    """A stage of summary.json `timings`."""
    rate = round(messages / seconds, 1) if seconds else 0.0
    return {"seconds": round(seconds, 3), "messages": messages, "messages_per_s": rate}
