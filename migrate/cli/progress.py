"""Showing progress: bars on a terminal, plain lines elsewhere, JSON lines on request.

Always on standard error, at widening intervals where lines are kept.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from migrate.cli.output import say, visible
from migrate.core.progress import Progress as Shown
from migrate.core.progress import Silent

SECONDS_BETWEEN_LINES = 5.0


class Lines:
    """A line when a stage starts, every few seconds while it goes on, and when it ends."""

    def __init__(self, as_json: bool) -> None:
        self._json = as_json
        self._stages: dict[str, dict[str, Any]] = {}

    def start(self, stage: str, total: int | None) -> None:
        now = time.monotonic()
        self._stages[stage] = {"total": total, "done": 0, "from": now, "told": now}
        self._tell("start", stage)

    def advance(self, stage: str, messages: int) -> None:
        state = self._stages[stage]
        state["done"] += messages
        if time.monotonic() - state["told"] >= SECONDS_BETWEEN_LINES:
            state["told"] = time.monotonic()
            self._tell("advance", stage)

    def finish(self, stage: str) -> None:
        self._tell("finish", stage)
        del self._stages[stage]

    def note(self, text: str) -> None:
        if self._json:
            sys.stderr.write(json.dumps({"event": "note", "text": text}) + "\n")
        else:
            say(text)

    def _tell(self, event: str, stage: str) -> None:
        state = self._stages[stage]
        seconds = time.monotonic() - state["from"]
        rate = state["done"] / seconds if seconds > 0 and state["done"] else 0.0
        left = _remaining(state["total"], state["done"], rate)
        if self._json:
            line = {"event": event, "stage": stage, "messages": state["done"]}
            line |= {"total": state["total"], "per_second": round(rate), "remaining_s": left}
            sys.stderr.write(json.dumps(line) + "\n")
        elif event != "start":
            say(_sentence(stage, state, rate, left, seconds, done=event == "finish"))


def _remaining(total: int | None, done: int, rate: float) -> int | None:
    """Whole seconds to go; None before there is anything to go by."""
    if total is None or not rate or done < total / 100:
        return None
    return max(0, round((total - done) / rate))


def _sentence(
    stage: str, state: dict[str, Any], rate: float, left: int | None, seconds: float, *, done: bool
) -> str:
    parts = [f"{stage}: {state['done']:,}"]
    if state["total"] and not done:
        parts.append(f"of {state['total']:,}")
    parts.append(f"messages, {rate:,.0f}/s")
    if done:
        parts.append(f"in {seconds:.1f} s")
    elif left is not None:
        parts.append(f"{left} s left")
    return " ".join(parts)


class _Rate(ProgressColumn):
    """Messages a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f} messages/s" if speed else "", style="dim")


class Bars:
    """Rich bars on a terminal."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def start(self, stage: str, total: int | None) -> None:
        self._tasks[stage] = self._bars.add_task(visible(stage), total=total)

    def advance(self, stage: str, messages: int) -> None:
        self._bars.advance(self._tasks[stage], messages)

    def finish(self, stage: str) -> None:
        task = self._tasks.pop(stage)
        done = next(t.completed for t in self._bars.tasks if t.id == task)
        self._bars.update(task, total=done, completed=done)

    def note(self, text: str) -> None:
        self._bars.console.print(Text(visible(text)))


@contextmanager
def shown(style: str) -> Iterator[Shown]:
    """The progress of the chosen style, cleaned up afterwards."""
    console = Console(stderr=True, highlight=False, emoji=False)
    if style == "auto":
        style = "bar" if console.is_terminal else "plain"
    if style == "none":
        yield Silent()
    elif style in ("plain", "json"):
        yield Lines(style == "json")
    else:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(compact=True),
        )
        with Progress(*columns, console=console, transient=False) as bars:
            yield Bars(bars)
