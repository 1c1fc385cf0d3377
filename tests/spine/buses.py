"""The sample estate, run for real onto a bus; what an independent consumer received of it.

The truth is the estate's manifest, which the tool never reads; a consumer is written with the
bus's own client and shares nothing with our observers.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.spine.estate import isb_migrate

MESSAGES = 600


@dataclass(frozen=True)
class Received:
    """One delivery as a consumer got it: where, and its headers under their names of old (`ce_…`,
    `content-type`), whatever they are called on this bus."""

    destination: str
    lane: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Ran:
    """A sample estate, and the folder of a real run of it."""

    estate: Path
    run: Path
    code: int

    @property
    def summary(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.run / "summary.json").read_text("utf-8"))
        return content

    @property
    def manifest(self) -> list[dict[str, Any]]:
        text = (self.estate / "manifest.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def again(self, *words: object) -> "Ran":
        """The same command once more."""
        return run_on(self, *words)


def estate_on(
    folder: Path, bus: str, offramps: str | None = None, *, messages: int = MESSAGES
) -> Ran:
    """Write a sample estate whose plan names this bus: the TOML of `[bus.metip]`, and what every
    off-ramp says besides. Nothing is run."""
    estate = folder / "estate"
    code, _ = isb_migrate("sample", estate, "--messages", messages, "--seed", 5)
    assert code == 0
    plan = estate / "plan.toml"
    text = plan.read_text(encoding="utf-8")
    text = re.sub(r"\[bus\.metip\]\n(?:.+\n)*", lambda _: bus.strip() + "\n", text)
    if offramps:
        text = re.sub(r"(\[offramp\.\w+\]\n)", lambda head: head[1] + offramps + "\n", text)
        text += f"\n[offramp.archive]\n{offramps}\n"
    plan.write_text(text, encoding="utf-8")
    return Ran(estate, folder / "runs" / "real", -1)


def run_on(ran: Ran, *words: object) -> Ran:
    """`isb-migrate run` of such an estate, begun or gone on with."""
    where = ("--runs", ran.run.parent, "--run-id", ran.run.name, "--progress", "none")
    code, _ = isb_migrate("run", ran.estate / "plan.toml", *where, *words)
    return Ran(ran.estate, ran.run, code)


def check_agrees(ran: Ran) -> None:
    """The run ended with nothing to find."""
    assert (ran.code, ran.summary["verdict"], ran.summary["findings"]) == (0, "agrees", {})
    assert ran.summary["deliveries"]["matched"] == ran.summary["deliveries"]["expected"]


def check_received(ran: Ran, received: Sequence[Received]) -> None:
    """Exactly the deliveries of the manifest, each once, and in its order for every order key of
    a destination and lane. `received`: in order of arrival within destination and lane."""
    promised = Counter(
        (entry["flow"], entry["legacy_id"], to["destination"], to["lane"])
        for entry in ran.manifest
        for to in entry["deliveries"]
    )
    assert Counter(_place(one) for one in received) == promised
    ranks = {(entry["flow"], entry["legacy_id"]): at for at, entry in enumerate(ran.manifest)}
    by_key: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for one in received:
        flow, legacy_id, *_ = _place(one)
        if "ce_orderkey" in one.headers:
            key = (one.destination, one.lane, flow, one.headers["ce_orderkey"])
            by_key[key].append(ranks[flow, legacy_id])
    assert any(len(keys) > 1 for keys in by_key.values())
    assert [key for key, places in by_key.items() if places != sorted(places)] == []


def _place(one: Received) -> tuple[str, str, str, str]:
    return one.headers["ce_flow"], one.headers["ce_legacyid"], one.destination, one.lane
