"""Errors, grouped by what the operator has to do next.

    MigrateError
    ├── UsageError            2   mend the command line
    │   ├── MissingExtra      2   install the named extra
    │   └── NoGauge           2   leave `backlog` out, or say who receives
    ├── PlanError             2   mend the plan (names file, key, remedy)
    ├── LegacyUnreadable      3   mend the legacy side: connection, rights, files
    ├── BusRefused            4   mend the bus: connection, rights, topology
    ├── RunConflict           5   use another run, or wait for the one that holds it
    │   └── RunLocked         5
    ├── CouldNotVerify        6   nothing is known to be wrong; nothing is proven either
    └── Interrupted         130   run the same command again

No message of these ever holds a payload value or a secret: place, class and
remedy only. Foreign exceptions are translated where they enter.
"""


class MigrateError(Exception):
    """Root of all errors this tool raises on purpose; `hint` says what to do next."""

    exit_code = 70

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(MigrateError):
    """The command line asks for something that cannot be done."""

    exit_code = 2


class MissingExtra(UsageError):
    """An optional dependency is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs an optional part that is not installed",
            hint=f'install "isb-migrate[{extra}]"',
        )


class NoGauge(UsageError):
    """The bus can never tell what waits for the receivers of an off-ramp."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint or "leave it out, and slow the off-ramp by its rate")


class PlanError(MigrateError):
    """The plan is wrong; `file` and `key` say where."""

    exit_code = 2

    def __init__(
        self, message: str, *, file: str = "", key: str = "", hint: str | None = None
    ) -> None:
        where = ": ".join(part for part in (file, key) if part)
        super().__init__(f"{where}: {message}" if where else message, hint=hint)
        self.file = file
        self.key = key
        self.problem = message


class LegacyUnreadable(MigrateError):
    """A legacy store cannot be read, or not as the plan says."""

    exit_code = 3


class BusRefused(MigrateError):
    """The bus cannot be reached or does not take what it is given."""

    exit_code = 4


class RunConflict(MigrateError):
    """The run folder belongs to another plan, kind of run, or process."""

    exit_code = 5


class RunLocked(RunConflict):
    """Another process holds this run."""


class CouldNotVerify(MigrateError):
    """A side could not be read well enough to reach a verdict."""

    exit_code = 6


class Interrupted(MigrateError):
    """The operator asked to stop; the batch in hand was finished."""

    exit_code = 130
