"""Loading by the whole protocol, timed against rivals: what every benchmark of a bus shares.

A run is extracted and transformed once and copied for every reading; what is timed is the
stage `load` of `isb-migrate run`, with ledger, intents and receipts, in a process of its own, by
the run's own clock. A rival puts as many bodies of the same size on the same bus without any
bookkeeping. They take turns, each first at times, each on an empty place and on a machine that
has come to rest: brokers go on tidying up long after the last confirm. Medians count; the best of
each is told besides, since what a machine and its host do in the background only slows a reading.

BENCH_MESSAGES: how many messages of 1 KB (half as many of 16 KiB). BENCH_SIZES: bytes of a
body, with commas between. BENCH_TURNS: how often (3).
"""

import multiprocessing
import os
import re
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from bench.spine import PLAN, write_legacy
from migrate.core.interpreter import attune
from migrate.core.progress import Silent
from migrate.plan.load import load_plan
from migrate.run.pipeline import run_plan
from migrate.run.stop import Stop

SIZES = tuple(int(size) for size in os.environ.get("BENCH_SIZES", "1024,16384").split(","))
TURNS = int(os.environ.get("BENCH_TURNS", "3"))

_OURS, _SEEN = "isb-migrate", "the witness"
_REST_S = 0.1  # of all processors, in a second

Rate = Callable[[], float]
"""Messages a second of one reading, callable in another process."""


@dataclass(frozen=True)
class Place:
    """Where one turn goes to: an empty place on the bus.

    `environ`: what the plan's references stand for; `rivals`: by name, and the ratio that is
    aimed at (0: none); `seen`: the witness's reading of what was loaded.
    """

    environ: Mapping[str, str] = field(default_factory=dict)
    rivals: Mapping[str, tuple[Rate, float]] = field(default_factory=dict)
    seen: Rate | None = None


@dataclass(frozen=True)
class Target:
    """A bus to load onto.

    `bus`: the TOML of `[bus.metip]`, `offramp` that of the one off-ramp; `place`: an empty place
    for so many messages of a size.
    """

    name: str
    bus: str
    place: Callable[[int, int], AbstractContextManager[Place]]
    offramp: str = 'duplicates = "unsafe"'


def compare(target: Target) -> None:
    """A line a size and rival: ours, theirs and the ratio."""
    for size in SIZES:
        messages = int(os.environ.get("BENCH_MESSAGES", "60000")) // (1 if size <= 1024 else 2)
        with tempfile.TemporaryDirectory(prefix="bench-load-") as folder:
            prepared = prepare(Path(folder), target, messages, size)
            _show(target, prepared, messages, size)


def _show(target: Target, prepared: Path, messages: int, size: int) -> None:
    with target.place(messages, size) as place:
        aims = {name: aim for name, (_, aim) in place.rivals.items()}
    rates: dict[str, list[float]] = {name: [] for name in (_OURS, _SEEN, *aims)}
    peaks = []
    for turn in range(TURNS):
        for name in _turned([_OURS, *aims], turn):
            with target.place(messages, size) as place, copied(prepared) as copy:
                come_to_rest()
                if name != _OURS:
                    rates[name].append(apart(place.rivals[name][0])[0])
                    continue
                load = partial(run, prepared / "estate", copy, None, dict(place.environ))
                rate, peak = apart(load)
                rates[_OURS].append(rate)
                peaks.append(peak)
                if place.seen is not None:
                    come_to_rest()
                    rates[_SEEN].append(apart(place.seen)[0])
    middle = {name: statistics.median(found) for name, found in rates.items() if found}
    best = {name: max(found) for name, found in rates.items() if found}
    print(
        f"{target.name}, {messages:,} of {size:,} bytes: {middle[_OURS]:,.0f} messages/s,"
        f" {max(peaks):,.0f} MiB"
        + (f"; seen again at {middle[_SEEN]:,.0f}/s" if _SEEN in middle else "")
    )
    for name, aim in aims.items():
        words = f" (aim {aim})" if aim else ""
        ratio, best_ratio = (rate[_OURS] / rate[name] for rate in (middle, best))
        print(
            f"  {name:<34} {middle[name]:9,.0f}/s  ours is {ratio:.2f}{words}"
            f", best of each {best_ratio:.2f}",
            flush=True,
        )


def _turned(names: list[str], turn: int) -> list[str]:
    first = turn % len(names)
    return names[first:] + names[:first]


def come_to_rest() -> None:
    """Wait until the machine has nothing left to write and has done next to nothing for a second,
    for a minute at most."""
    os.sync()
    until = time.monotonic() + 60
    busy = _busy_s()
    while time.monotonic() < until:
        time.sleep(1)
        before, busy = busy, _busy_s()
        if busy - before < _REST_S:
            return


def _busy_s() -> float:
    """Seconds that all processors have worked, where Linux tells; else always the same."""
    try:
        fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
    except OSError:
        return 0.0
    user, nice, system, _, _, interrupts, soft = map(int, fields[:7])
    return (user + nice + system + interrupts + soft) / os.sysconf("SC_CLK_TCK")


def prepare(folder: Path, target: Target, messages: int, size: int) -> Path:
    """A run of so many messages with bodies of `size` bytes, transformed; its folder."""
    estate = folder / "estate"
    shutil.copytree(PLAN, estate)
    plan = estate / "plan.toml"
    text = plan.read_text(encoding="utf-8")
    for section, content in (("bus.metip", target.bus), ("offramp.events", target.offramp)):
        head = f"[{section}]\n"
        text = re.sub(
            rf"{re.escape(head)}(?:.+\n?)*", lambda _, new=head + content: f"{new}\n", text
        )
    plan.write_text(text, encoding="utf-8")
    write_legacy(estate / "legacy.db", messages, size)
    with target.place(messages, size) as place:
        apart(partial(run, estate, folder / "runs", "transform", dict(place.environ)))
    return folder


@contextmanager
def copied(prepared: Path) -> Iterator[Path]:
    """A copy of the run that `prepare` made, for one reading. Made for every contestant, and before
    the machine comes to rest: so much to be written in the background slows what follows."""
    with tempfile.TemporaryDirectory(prefix="bench-load-") as folder:
        yield shutil.copytree(prepared / "runs", Path(folder) / "runs")


def run(estate: Path, runs: Path, stage: str | None, environ: dict[str, str]) -> float:
    """A run up to a stage; the rate of loading, 0 before it."""
    os.environ.update(environ)
    attune()
    outcome = run_plan(
        load_plan(estate / "plan.toml"),
        runs,
        kind="run",
        run_id="bench",
        flow=None,
        stage=stage,
        engine="inline",
        workers=1,
        progress=Silent(),
        stop=Stop(),
    )
    return float(outcome.timings.get("load", {}).get("messages_per_s", 0.0))


def apart(work: Rate) -> tuple[float, float]:
    """What `work` returns in a process of its own, and that one's peak memory in MiB."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_report, args=(work, there))
    process.start()
    there.close()
    found: tuple[float, float] = here.recv()
    process.join()
    return found


def _report(work: Rate, out: Any) -> None:
    rate = work()
    out.send((rate, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))
