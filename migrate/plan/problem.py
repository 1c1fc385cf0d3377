"""What is wrong with a plan: one problem, and the error that reports them all together."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from migrate.core.errors import MigrateError, PlanError


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong: the key path (or store, or file) it is in, what, and what to do.

    `code` is the exit code of what has to be mended: 2 the plan, 3 the legacy side, 4 the bus.
    """

    severity: Literal["error", "warning"]
    where: str
    message: str
    hint: str | None = None
    code: int = 2

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text} ({self.hint})" if self.hint else text


def wrong(where: str, message: str, hint: str | None = None) -> Problem:
    """A problem that stops the plan."""
    return Problem("error", where, message, hint)


def doubtful(where: str, message: str, hint: str | None = None) -> Problem:
    """A problem that is only pointed out."""
    return Problem("warning", where, message, hint)


def of_error(where: str, error: MigrateError) -> Problem:
    """An error that was met on the way, as a problem."""
    message = error.problem if isinstance(error, PlanError) else error.message
    return Problem("error", where, message, error.hint, error.exit_code)


class PlanProblems(PlanError):
    """Everything found wrong with one plan file; `problems` has at least one entry.

    With one problem it reads like any PlanError; with several the message lists
    them a line each, and `key` is that of the first.
    """

    def __init__(self, file: Path | str, problems: Sequence[Problem]) -> None:
        first = problems[0]
        if len(problems) == 1:
            super().__init__(first.message, file=str(file), key=first.where, hint=first.hint)
        else:
            lines = "".join(f"\n  {problem}" for problem in problems)
            super().__init__(
                f"{len(problems)} problems{lines}",
                file=str(file),
                hint="mend them all, then check again",
            )
            self.key = first.where
        self.problems = tuple(problems)
