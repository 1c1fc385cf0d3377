"""The command line: one file per command, and the one place that turns errors into exit codes.

Exit codes: 0 agrees · 1 differs · 2 usage or plan · 3 legacy side unreadable ·
4 bus refused · 5 run belongs to another plan or is locked · 6 could not verify ·
70 internal error · 130 interrupted, resumable.
"""

import importlib
import os
import sys
import traceback
from collections.abc import Sequence

import click

from migrate import __version__
from migrate.cli.output import say
from migrate.core.errors import MigrateError
from migrate.core.interpreter import attune

COMMANDS = {
    "sample": "write a legacy estate, its plan and the truth about it",
    "init": "look at a store and propose a plan for it",
    "check": "try everything a run needs before anything moves",
    "inventory": "what the legacy stores hold",
    "topology": "what the bus will have, has, and whether it routes as the legacy bus did",
    "catalogue": "what arrives on the new bus: AsyncAPI, and a page",
    "extract": "one legacy store to Parquet, no plan needed",
    "rehearse": "everything but the real bus",
    "run": "the batch run; the same command resumes an interrupted one",
    "reconcile": "read both sides again and come to a new verdict",
    "report": "write a report of a run",
    "status": "the runs here, or how far one of them is",
    "trace": "what became of one message",
    "compare": "what changed between two runs",
    "quarantine": "list, show or replay what could not be mapped",
    "claims": "list, verify or prune bodies that lie in a claim store",
    "formats": "list, show or compare message formats",
    "verify": "check an evidence pack, or make one",
    "selftest": "plant every fault in a small rehearsal and see it found",
}
"""Every command: a module of this package with a click command of the same name."""

INTERNAL_ERROR = 70
INTERRUPTED = 130


class LazyGroup(click.Group):
    """Imports a command's module only when it is called, so that --help imports no driver."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"migrate.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="isb-migrate")
def cli() -> None:
    """Move what a legacy service bus still holds to its successor, and prove it.

    \b
    Examples:
      isb-migrate sample estate --messages 20000
      isb-migrate check estate/plan.toml
      isb-migrate rehearse estate/plan.toml
    """


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code. Nothing below this decides a process's end."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        result = cli.main(args=arguments, prog_name="isb-migrate", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show(file=sys.stderr)
        return 2
    except (click.Abort, KeyboardInterrupt):
        say("interrupted; the same command resumes")
        return INTERRUPTED
    except MigrateError as error:
        return _explain(error)
    except BrokenPipeError:
        # The reader of our standard output went away; Python must not complain at exit too.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _blame_the_machine(error)
    except Exception as error:  # noqa: BLE001 - the last net: anything else is our own fault
        return _confess(error)
    return result if isinstance(result, int) else 0


def entry() -> None:
    """The console script."""
    attune()
    sys.exit(main())


def _explain(error: MigrateError) -> int:
    say(f"error: {error.message}")
    if error.hint:
        say(f"  what to do: {error.hint}")
    return error.exit_code


def _blame_the_machine(error: OSError) -> int:
    """A full disk, a missing right: the operating system's words name no payload."""
    where = f": {error.filename}" if error.filename else ""
    say(f"error: {error.strerror or type(error).__name__}{where}")
    say("  what to do: mend that, then run the same command again; it goes on")
    return INTERNAL_ERROR


def _confess(error: Exception) -> int:
    """An internal error, without its text: foreign messages may print payload values."""
    say(f"internal error: {type(error).__name__}; this is a defect of isb-migrate")
    for frame in traceback.extract_tb(error.__traceback__)[-6:]:
        say(f"  at {os.path.relpath(frame.filename)}:{frame.lineno} in {frame.name}")
    if os.environ.get("ISB_MIGRATE_DEBUG"):
        traceback.print_exception(error)
    return INTERNAL_ERROR
