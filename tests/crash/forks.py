"""Processes that extract and may die, forked from one that has imported everything once.

    python forks.py < orders

Each order is a line of JSON: `{"work": "extract", "words": […], "trace": PATH, "fuse": FUSE}`, or
`"work": "run"` with the plan, the folder of runs. The exit code of each process (negative: killed
by that signal) is printed as a line. FUSE: null; `{"signal": "KILL", "event": 12}` (behind the 12th
durable event of this process); `{"signal": "KILL", "call": 4711}` (at that function call).

TRACE gets a line per durable event: its name, and how many calls there had been.
"""

import importlib
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from types import FrameType
from typing import Any

from extractors import STORES
from migrate.cli import main
from migrate.core import durable
from migrate.core.errors import MigrateError
from migrate.core.progress import Silent
from migrate.plan.load import load_plan
from migrate.run.pipeline import run_plan
from migrate.run.stop import Stop


class Fuse:
    """Counts durable events and function calls, and burns at one of them."""

    def __init__(self, trace: str, fuse: dict[str, Any] | None) -> None:
        self._trace = os.open(trace, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._fuse = fuse or {}
        self._events = self._calls = 0

    def made_durable(self, event: str) -> None:
        """In the place of durable.made_durable."""
        os.write(self._trace, f"{event} {self._calls}\n".encode())
        self._events += 1
        if self._events == self._fuse.get("event"):
            self._burn()

    def called(self, frame: FrameType, event: str, argument: object) -> None:
        """For sys.setprofile."""
        self._calls += 1
        if self._calls == self._fuse.get("call"):
            self._burn()

    def _burn(self) -> None:
        os.kill(os.getpid(), getattr(signal, f"SIG{self._fuse['signal']}"))


def extract(words: list[str]) -> int:
    """The command line."""
    return main(["extract", *words])


def run(words: list[str]) -> int:
    """The extract stage of a run."""
    plan, runs = words
    try:
        with Stop() as stop:
            run_plan(
                load_plan(Path(plan)),
                Path(runs),
                kind="rehearsal",
                run_id="crashing",
                flow=None,
                stage="extract",
                engine="inline",
                workers=1,
                progress=Silent(),
                stop=stop,
            )
    except MigrateError as error:
        print(type(error).__name__, error, file=sys.stderr)
        return error.exit_code
    return 0


WORK = {"extract": extract, "run": run}


def child(order: dict[str, Any]) -> None:
    """One process; never returns."""
    code = 99
    try:
        errors = os.open(order["trace"] + ".err", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(errors, 1)
        os.dup2(errors, 2)
        fuse = Fuse(order["trace"], order["fuse"])
        durable.made_durable = fuse.made_durable
        sys.setprofile(fuse.called)
        code = WORK[order["work"]](order["words"])
    except BaseException:  # noqa: BLE001 - whatever it is, the process ends with a code
        traceback.print_exc()
    finally:
        sys.setprofile(None)
        sys.stderr.flush()
        os._exit(code)


def serve() -> None:
    """Until there are no more orders."""
    for target in ("migrate.cli.extract", "migrate.run.extraction", *STORES.values()):
        importlib.import_module(target.partition(":")[0])
    while line := sys.stdin.readline():
        pid = os.fork()
        if pid == 0:
            child(json.loads(line))
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    serve()
