"""Takes a run as far as it gets until a fuse burns.

    python fused.py PLAN RUNS TRACE FUSE [ENGINE [KIND]]

FUSE is `never`, `KILL:12` (SIGKILL to itself after the 12th durable event of this
process), `KILL:published:2` (after the second event of that name), or the same with INT or
TERM. Every durable event is appended to TRACE before anything else happens. The exit code is
the one the command line would give.
"""

import os
import signal
import sys
from collections import Counter
from pathlib import Path

from migrate.core import durable
from migrate.core.errors import MigrateError
from migrate.core.progress import Silent
from migrate.plan.load import load_plan
from migrate.run.pipeline import run_plan
from migrate.run.stop import Stop

UNFINISHED = 99


def main(
    plan: str,
    runs: str,
    trace: str,
    fuse: str,
    engine: str = "inline",
    kind: str = "rehearsal",
) -> int:
    """Create or resume the run; its exit code."""
    durable.made_durable = fused(trace, fuse)
    try:
        with Stop() as stop:
            outcome = run_plan(
                load_plan(Path(plan)),
                Path(runs),
                kind=kind,
                run_id="crashing",
                flow=None,
                stage=None,
                engine=engine,
                workers=2,
                progress=Silent(),
                stop=stop,
            )
    except MigrateError as error:
        print(type(error).__name__, error, file=sys.stderr)
        return error.exit_code
    return 0 if outcome.complete and not outcome.in_doubt else UNFINISHED


def fused(trace: str, fuse: str):  # type: ignore[no-untyped-def]
    """A `made_durable` that traces, counts and burns."""
    descriptor = os.open(trace, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    name, _, rest = fuse.partition(":")
    event_wanted, _, number = rest.rpartition(":")
    seen: Counter[str] = Counter()

    def made_durable(event: str) -> None:
        os.write(descriptor, f"{event}\n".encode())
        seen[event] += 1
        seen[""] += 1
        if name != "never" and event_wanted in ("", event) and seen[event_wanted] == int(number):
            for _ in range(2):  # a second signal changes nothing
                os.kill(os.getpid(), getattr(signal, f"SIG{name}"))

    return made_durable


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
