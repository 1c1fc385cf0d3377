"""kill -9 of a run whose off-ramps are in structured mode: the window in doubt is found by what
stands beside its events, on every kind of bus; nothing lost, nothing twice."""

import json
import re
from collections import Counter
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from loaders import BUSES
from migrate.core.flow import BusSpec
from migrate.plan.load import load_plan
from migrate.plan.stores import open_observer
from tests.contract.buses import FRESH, Fresh, marks
from tests.crash.calls import KILLED, call
from tests.run.estate import Arrival, Estate, write_estate

REAL, ENDS = ("inline", "run"), (0, KILLED)
CASES = [
    pytest.param(FRESH[kind][0][1], id=kind, marks=[pytest.mark.crash, *marks(kind, kind != "sql")])
    for kind in sorted(BUSES)
]


@pytest.mark.parametrize("fresh", CASES)
def test_a_run_that_is_killed_while_it_loads(
    tmp_path: Path, fresh: Fresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind an intent, behind what was published, and behind a receipt."""
    with fresh(tmp_path) as spec:
        monkeypatch.setenv("METIP_URL", spec.url)
        estate = on(write_estate(tmp_path / "estate", messages=60, batch_rows=12), spec)
        run = partial(call, estate.plan.parent, estate.plan)
        for fuse in ("KILL:intent:1", "KILL:published:1", "KILL:published:2", "KILL:receipt:1"):
            assert run(fuse, *REAL, ends=ENDS) == KILLED
        assert run("never", *REAL, ends=ENDS) == 0
        assert arrived(estate) == Counter(estate.expected)


def on(estate: Estate, spec: BusSpec) -> Estate:
    """The estate's plan, with another bus, and all off-ramps but one in structured mode."""
    text = estate.plan.read_text("utf-8")
    options = ", ".join(f'{name} = "{value}"' for name, value in spec.options)
    bus = f'kind = "{spec.kind}"\nurl = "${{METIP_URL}}"\noptions = {{ {options} }}\n'
    text = re.sub(r"(\[bus\.metip\]\n)(?:.+\n)*", lambda found: found[1] + bus, text)
    text = text.replace("[offramp.mobile]", '[offramp.mobile]\nmode = "structured"')
    text = text.replace("[offramp.log]", '[offramp.log]\nmode = "structured"')
    estate.plan.write_text(f'{text}\n[offramp.archive]\nmode = "structured"\n', "utf-8")
    return estate


def arrived(estate: Estate) -> Counter[Arrival]:
    """What the witness finds, whole and in its mode."""
    plan = load_plan(estate.plan)
    found: Counter[Arrival] = Counter()
    with closing(open_observer(plan.bus, plan.offramps)) as observer:
        for batch in observer.observe({}):
            for row in batch.to_pylist():
                headers = json.loads(row["headers"])
                assert not [name for name in headers if "event." in name or "migration" in name]
                found[row["destination"], row["lane"], headers["ce_legacyid"]] += 1
    return found
