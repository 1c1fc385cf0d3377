"""What every registered report format must do, over every case of a run."""

import builtins
import io
import os
import stat
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from migrate.core.errors import CouldNotVerify, MissingExtra, UsageError
from migrate.core.runfolder import RunFolder
from reports import EXTRAS, REPORTS
from reports.build import write_report
from tests.reports.runs import CASES, write

PERSONAL = "CU-2018-"
"""How the legacy ids of the cases begin; flow gazetteer alone marks its ids as plain."""


@pytest.fixture(autouse=True)
def own_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or makes a key of the person who runs it."""
    monkeypatch.setenv("ISB_MIGRATE_KEYS", str(tmp_path / "keys"))


@pytest.fixture(params=sorted(CASES))
def run(request: pytest.FixtureRequest, tmp_path: Path) -> RunFolder:
    """A run folder of each case."""
    return write(CASES[request.param](), tmp_path / "runs" / request.param)


def readable(data: bytes) -> str:
    """The text in a report; of a workbook, of all its parts."""
    if not data.startswith(b"PK"):
        return data.decode("utf-8", "replace")
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        return "\n".join(parts.read(name).decode() for name in parts.namelist())


@pytest.mark.parametrize("form", REPORTS)
def test_a_report_lies_in_the_run_folder_for_its_owner_only(form: str, run: RunFolder) -> None:
    """One file below report/, not empty, mode 0600, nothing left over beside it."""
    path = write_report(run, form)
    assert path.parent == run.report
    assert path.stat().st_size > 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in run.report.iterdir()] == [path.name]


@pytest.mark.parametrize("form", REPORTS)
def test_the_same_run_makes_the_same_bytes(
    form: str, run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the time of day, nor the zone, nor the folder's place shows."""
    first = write_report(run, form).read_bytes()
    moved = run.root.rename(tmp_path / run.run_id)
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 10**8)
    try:
        assert write_report(RunFolder(moved), form).read_bytes() == first
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("form", [form for form in REPORTS if form != "pdf"])
def test_personal_ids_never_show(form: str, run: RunFolder) -> None:
    """A legacy id is a keyed hash unless the plan marks the flow's ids as plain."""
    text = readable(write_report(run, form).read_bytes())
    plain = [number for number in range(128) if number % 7 in (3, 4)]
    for number in plain:
        text = text.replace(f"{PERSONAL}{number:07d}", "")
    assert PERSONAL not in text
    assert "CU-2012-" not in text


@pytest.mark.parametrize("form", [form for form in REPORTS if form != "pdf"])
def test_the_marking_rides_on_every_report(form: str, tmp_path: Path) -> None:
    """Also on a table of findings: in each of its rows."""
    run = write(CASES["differs-many"](), tmp_path / "run")
    text = readable(write_report(run, form).read_bytes())
    assert "OFFICIAL-SENSITIVE" in text


@pytest.mark.parametrize("form", REPORTS)
def test_a_run_without_a_verdict_has_no_report(form: str, tmp_path: Path) -> None:
    """The error says what to run first."""
    with pytest.raises(CouldNotVerify, match="has not been reconciled") as caught:
        write_report(RunFolder(tmp_path / "r1"), form)
    assert caught.value.hint == "isb-migrate reconcile r1"


@pytest.mark.parametrize("form", REPORTS)
@pytest.mark.parametrize("file", ["details.json", "findings.parquet"])
def test_damaged_verdict_files_are_said_by_name(form: str, file: str, tmp_path: Path) -> None:
    """A report is not made of half a verdict."""
    run = write(CASES["agrees"](), tmp_path / "run")
    path = run.reconciliation / file
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(CouldNotVerify, match=file):
        write_report(run, form)


@pytest.mark.parametrize(("module", "extra"), EXTRAS.items())
def test_a_missing_library_is_named_as_an_extra(
    module: str, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a traceback: what to install."""
    real: Any = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.partition(".")[0] == module:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.delitem(sys.modules, f"reports.{extra}", raising=False)
    run = write(CASES["agrees"](), tmp_path / "run")
    with pytest.raises(MissingExtra) as caught:
        write_report(run, extra)
    assert caught.value.hint == f'install "isb-migrate[{extra}]"'


def test_an_unknown_format_is_a_usage_error_with_the_nearest_name(tmp_path: Path) -> None:
    """`htm` means html."""
    run = write(CASES["agrees"](), tmp_path / "run")
    with pytest.raises(UsageError) as caught:
        write_report(run, "htm")
    assert caught.value.hint == 'did you mean "html"?'
