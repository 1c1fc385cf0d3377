"""A sealed run is opened again exactly as it was, or not at all."""

import shutil
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.core.errors import CouldNotVerify, PlanError
from migrate.core.flow import BusSpec
from migrate.core.ports import Control, Population
from migrate.core.runfolder import RunFolder
from migrate.plan.load import load_plan
from migrate.plan.plan import Plan
from migrate.plan.seal import (
    Baseline,
    Segment,
    open_sealed,
    read_baseline,
    run_bus,
    seal_inputs,
    write_baseline,
)
from migrate.plan.tables import read_tables

ESTATE = Path(__file__).parent / "cases" / "good" / "estate"
ENVIRON = {"ISB_URL": "sqlite:///isb.db"}
OFFENCES = pa.table({"code": ["01", "01", None], "label": ["Theft", "Theft", ""]})


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    shutil.copytree(ESTATE, tmp_path / "plan")
    return load_plan(tmp_path / "plan", environ=ENVIRON)


@pytest.fixture
def folder(tmp_path: Path, plan: Plan) -> RunFolder:
    """A run folder with sealed inputs and a baseline."""
    folder = RunFolder(tmp_path / "runs" / "r1")
    seals = seal_inputs(folder, plan, tables(plan))
    write_baseline(folder, baseline(plan, seals))
    return folder


def tables(plan: Plan) -> dict[str, pa.Table]:
    """Files are read; what the store would answer is given."""
    files = {name: spec for name, spec in plan.tables.items() if spec.path is not None}
    return {**read_tables(replace(plan, tables=files)), "offences": OFFENCES}


def baseline(plan: Plan, seals: dict[str, str]) -> Baseline:
    return Baseline(
        run_id="r1",
        kind="rehearsal",
        plan_digest=plan.digest,
        plan_dir=str(plan.folder),
        tool_version="0.1.0",
        engine={"duckdb": "2.0.0"},
        as_of=datetime(2018, 4, 1, 12, 30, 0, 123456, tzinfo=UTC),
        started="2018-04-01T12:30:01Z",
        inputs=seals,
        bus={"name": "embedded", "kind": "sql"},
        positions={"custody": "0"},
        populations={
            "custody": Population(3, '["3"]', (Control("rows", "SELECT 1", "3"),), {"a": [1]})
        },
        segments={"custody": [Segment(0, 3, 0, "ab" * 32)]},
        sealed=True,
    )


def test_a_sealed_run_is_the_same_run(plan: Plan, folder: RunFolder) -> None:
    """Plan, baseline and tables, from the run folder alone: the plan's files are gone."""
    shutil.rmtree(plan.folder)
    sealed = open_sealed(folder, environ=ENVIRON)
    assert sealed.plan.flows == plan.flows
    assert sealed.plan.digest == plan.digest
    assert sealed.plan.stores == plan.stores
    assert sealed.baseline == baseline(plan, sealed.baseline.inputs)
    assert sealed.tables["offences"].equals(OFFENCES)
    assert sealed.tables["codes"].num_rows == 3


def test_the_plan_is_kept_verbatim_and_secrets_are_not(plan: Plan, folder: RunFolder) -> None:
    """References stay references."""
    assert folder.plan.read_bytes() == (ESTATE / "plan.toml").read_bytes()
    kept = b"".join(path.read_bytes() for path in folder.root.rglob("*") if path.is_file())
    assert b"isb.db" not in kept


def test_a_moved_run_finds_its_stores_where_it_is_told(folder: RunFolder, tmp_path: Path) -> None:
    """`plan_dir` says where relative paths start now."""
    sealed = open_sealed(folder, plan_dir=tmp_path / "moved", environ=ENVIRON)
    assert sealed.plan.stores["spool"].url == str(tmp_path / "moved" / "spool")


def test_only_the_owner_can_read(folder: RunFolder) -> None:
    """Folders 0700, files 0600."""
    for path in (folder.root, *folder.root.rglob("*")):
        expected = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == expected, path


SEALED_FILES = [
    "plan.toml",
    "inputs/mappings/custody.custody.sql",
    "inputs/schemas/example-custody-2.json",
    "inputs/tables/codes.parquet",
    "inputs/sources.json",
]


@pytest.mark.parametrize("name", SEALED_FILES)
@pytest.mark.parametrize("damage", ["changed", "gone"])
def test_a_damaged_input_is_not_used(folder: RunFolder, name: str, damage: str) -> None:
    """Nothing is known to be wrong; nothing is proven either."""
    path = folder.root / name
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(CouldNotVerify, match=name):
        open_sealed(folder, environ=ENVIRON)


def test_a_baseline_of_another_plan_is_not_used(folder: RunFolder) -> None:
    """Even where every single file fits its digest."""
    write_baseline(folder, replace(read_baseline(folder), plan_digest="00" * 32))
    with pytest.raises(CouldNotVerify, match="digest"):
        open_sealed(folder, environ=ENVIRON)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"schema": 1}', '{"schema": 2}', "null"],
)
def test_a_damaged_baseline_is_told(folder: RunFolder, text: str) -> None:
    """Exit 6, not a traceback."""
    folder.baseline.write_text(text)
    with pytest.raises(CouldNotVerify, match="damaged"):
        read_baseline(folder)


def test_a_run_without_a_baseline_is_told(tmp_path: Path) -> None:
    """A wrong folder, most often."""
    with pytest.raises(CouldNotVerify, match="has no baseline"):
        open_sealed(RunFolder(tmp_path / "no-run"))


def test_a_baseline_before_the_first_publish(folder: RunFolder) -> None:
    """Positions are unknown, nothing is sealed."""
    early = replace(read_baseline(folder), positions=None, segments={}, sealed=False)
    write_baseline(folder, early)
    assert read_baseline(folder) == early


MOMENTS = st.datetimes(timezones=st.just(UTC))
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=10)


@given(
    as_of=MOMENTS,
    rows=st.integers(0, 2**40),
    high=st.none() | TEXTS,
    controls=st.lists(st.builds(Control, TEXTS, TEXTS, TEXTS), max_size=3),
    positions=st.none() | st.dictionaries(TEXTS, TEXTS, max_size=3),
    segments=st.lists(st.builds(Segment, st.integers(0), st.integers(0), st.integers(0), TEXTS)),
)
def test_a_baseline_survives_writing(
    tmp_path_factory: pytest.TempPathFactory,
    as_of: datetime,
    rows: int,
    high: str | None,
    controls: list[Control],
    positions: dict[str, str] | None,
    segments: list[Segment],
) -> None:
    """Whatever it holds, to the microsecond."""
    folder = RunFolder(tmp_path_factory.getbasetemp() / "r")
    written = Baseline(
        run_id="r",
        kind="run",
        plan_digest="d",
        plan_dir="/p",
        tool_version="1",
        engine={},
        as_of=as_of,
        started="s",
        inputs={},
        bus={},
        positions=positions,
        populations={"f": Population(rows, high, tuple(controls), {"files": [["a", 1]]})},
        segments={"f": segments},
    )
    write_baseline(folder, written)
    read = read_baseline(folder)
    assert read == written
    assert read.as_of - as_of == timedelta(0)


def test_a_rehearsal_uses_the_bus_in_its_folder(plan: Plan, folder: RunFolder) -> None:
    """Never the plan's."""
    bus = run_bus(folder, plan, "rehearsal")
    assert replace(bus, claims=None) == BusSpec(
        "embedded", "sql", f"sqlite:///{folder.root}/bus.db", (("receivers", "keep"),)
    )
    assert bus.claims is not None
    assert bus.claims.url == f"{folder.root}/claims"


def test_a_run_needs_the_variables_of_its_bus(plan: Plan, folder: RunFolder) -> None:
    """The missing one is named."""
    with pytest.raises(PlanError, match=r"bus\.metip\.url: environment variable METIP_URL"):
        run_bus(folder, plan, "run")
    environ = {**ENVIRON, "METIP_URL": "sqlite:////srv/bus.db"}
    with pytest.raises(
        PlanError, match=r"bus\.metip\.claims\.url: environment variable CLAIMS_URL"
    ):
        run_bus(folder, load_plan(plan.folder, environ=environ), "run")
    environ["CLAIMS_URL"] = "sqlite:////srv/claims.db"
    ready = load_plan(plan.folder, environ=environ)
    found = replace(run_bus(folder, ready, "run"), claims=None)
    assert found == BusSpec("metip", "sql", "sqlite:////srv/bus.db")
