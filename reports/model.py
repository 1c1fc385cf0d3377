"""The report model: a run's verdict files, read once, with people's data already taken out.

Every format is made from a `Report`; none opens a run file itself. Legacy ids,
and the message ids that could be recomputed from them, are keyed pseudonyms
unless the plan marks a flow's ids as plain.
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from migrate.core.errors import CouldNotVerify
from migrate.core.redact import Pseudonyms
from migrate.core.runfolder import RunFolder
from migrate.core.schema import FINDING
from reports.words import KINDS

PERSONAL = ("legacy_id", "message_id")
"""Columns of a finding that identify a person's record; message ids derive from legacy ids."""

HIDDEN_CONTROLS = {"first_key": "legacy_id", "last_key": "legacy_id", "sha256": "sha256"}
"""Control totals whose value is a legacy key, or an unkeyed digest of payloads; both may be
guessed at. With each, what its pseudonym is made of."""

Json = dict[str, Any]


@dataclass(frozen=True)
class Report:
    """One run, redacted.

    `summary` and `details` are the run files of those names (`details` with
    key values replaced), `findings` has the columns of core.schema.FINDING as
    Arrow-backed text, in the order of KINDS and then of the file.
    """

    summary: Json
    details: Json
    baseline: Json
    findings: pd.DataFrame

    @property
    def run(self) -> Json:
        return dict(self.summary["run"])

    @property
    def plan(self) -> Json:
        """Name, namespace, environment, marking, timezone, as far as they are known."""
        return dict(self.details["plan"])

    @property
    def marking(self) -> str:
        return str(self.plan.get("marking") or "")

    @property
    def verdict(self) -> str:
        return str(self.summary["verdict"])

    @property
    def flows(self) -> dict[str, Json]:
        return dict(self.summary["flows"])

    @property
    def open(self) -> Json:
        return dict(self.summary["open"])

    @property
    def kinds(self) -> dict[str, int]:
        """Finding kinds that occurred and how often, in the order of KINDS."""
        counts = self.summary["findings"]
        order = [*KINDS, *sorted(set(counts) - set(KINDS))]
        return {kind: int(counts[kind]) for kind in order if counts.get(kind)}

    def part(self, name: str) -> list[Json]:
        """A list of `details` by name; empty where the run has none."""
        return list(self.details.get(name) or [])


def load_report(folder: RunFolder) -> Report:
    """Read and redact a reconciled run.

    Raises CouldNotVerify for a run that was never reconciled, or whose verdict
    files are damaged.
    """
    if not folder.summary.is_file():
        raise CouldNotVerify(
            f"run {folder.run_id} has not been reconciled",
            hint=f"isb-migrate reconcile {folder.run_id}",
        )
    sealed = _plan(folder.plan)
    details = _with_plan(_json(folder.reconciliation / "details.json"), sealed)
    plain = _plain_flows(sealed)
    names = Pseudonyms(str(details["plan"].get("namespace", "")))
    return Report(
        summary=_json(folder.summary),
        details=_without_keys(details, plain, names),
        baseline=_json(folder.baseline),
        findings=_findings(folder.reconciliation / "findings.parquet", plain, names),
    )


def _json(path: Path) -> Json:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise _damaged(path) from None
    if not isinstance(content, dict):
        raise _damaged(path)
    return content


def _damaged(path: Path) -> CouldNotVerify:
    return CouldNotVerify(
        f"{path.name} is missing or damaged", hint="reconcile the run again to write it anew"
    )


def _plan(path: Path) -> Json:
    """The sealed plan; nothing where it is damaged, which is reconciliation's to say."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _with_plan(details: Json, sealed: Json) -> Json:
    """The details with the plan's name and marking even where the run could not be opened."""
    written = {name: text for name, text in sealed.get("plan", {}).items() if text}
    known = {name: text for name, text in (details.get("plan") or {}).items() if text}
    return {**details, "plan": {**written, **known}}


def _plain_flows(sealed: Json) -> frozenset[str]:
    """Flows whose ids the plan marks as non-personal; without a word they are personal."""
    flows = sealed.get("flow", {})
    return frozenset(name for name, flow in flows.items() if flow.get("ids") == "plain")


def _without_keys(details: Json, plain: frozenset[str], names: Pseudonyms) -> Json:
    """The details with the values of hidden controls replaced in flows whose ids are personal."""
    controls = [
        control
        if control.get("flow") in plain or control.get("name") not in HIDDEN_CONTROLS
        else _without_key(control, names)
        for control in details.get("controls") or []
    ]
    return {**details, "controls": controls}


def _without_key(control: Json, names: Pseudonyms) -> Json:
    values = {
        side: names.of(HIDDEN_CONTROLS[control["name"]], str(control[side]))
        for side in ("sealed", "segments", "now")
        if control.get(side) is not None
    }
    return {**control, **values}


def _findings(path: Path, plain: frozenset[str], names: Pseudonyms) -> pd.DataFrame:
    try:
        table = pq.read_table(path).select(FINDING.names)
    except (OSError, ValueError, KeyError):
        raise _damaged(path) from None
    frame = table.to_pandas(types_mapper=pd.ArrowDtype)
    personal = ~frame["flow"].isin(list(plain)).fillna(False).astype(bool)
    for column in PERSONAL:
        hashed = _pseudonyms(frame[column], partial(names.of, column))
        frame[column] = frame[column].where(~personal, hashed)
    return _in_order(frame)


def _pseudonyms(values: "pd.Series[Any]", pseudonym: Any) -> "pd.Series[Any]":
    known: Mapping[str, str] = {value: pseudonym(value) for value in values.dropna().unique()}
    return values.map(known, na_action="ignore").astype(values.dtype)


def _in_order(frame: pd.DataFrame) -> pd.DataFrame:
    order = {kind: place for place, kind in enumerate(KINDS)}
    place = frame["kind"].map(order).fillna(len(order)).astype("int64")
    rows = place.sort_values(kind="stable").index
    return frame.loc[rows].reset_index(drop=True)
