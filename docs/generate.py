"""Write the generated pages of docs/: `python -m docs.generate`, or `--check` to only compare.

What the program says of itself is taken from the program: the command line from
its --help, the plan from its model, the guarantees from the checks, the
reasons and errors from their classes.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
from click.testing import CliRunner

from migrate.cli import COMMANDS, cli
from migrate.core import errors
from migrate.core.reasons import Reason

HERE = Path(__file__).parent


def command_line() -> str:
    """docs/reference/cli.md."""
    pages = ["# Command line\n", "Generated from the program's own help.\n"]
    pages.append(_help([]))
    for name in COMMANDS:
        pages.append(f"## {name}\n")
        pages.append(_help([name]))
        for child in _children(name):
            pages.append(f"### {name} {child}\n")
            pages.append(_help([name, child]))
    return "\n".join(pages)


def _children(name: str) -> list[str]:
    command = cli.get_command(click.Context(cli), name)
    return list(command.commands) if isinstance(command, click.Group) else []


def _help(words: list[str]) -> str:
    result = CliRunner().invoke(cli, [*words, "--help"], prog_name="isb-migrate")
    return f"```\n{result.output.rstrip()}\n```\n"


def reasons() -> str:
    """docs/reference/reasons.md: why a message is quarantined, from migrate/core/reasons.py."""
    source = (HERE.parent / "migrate/core/reasons.py").read_text(encoding="utf-8").splitlines()
    lines = ["# Reasons for quarantine\n", "Generated from `migrate/core/reasons.py`.\n"]
    lines += ["| reason | meaning |", "| --- | --- |"]
    for reason in Reason:
        at = next(i for i, line in enumerate(source) if line.strip().startswith(f"{reason.name} ="))
        meaning = source[at + 1].strip().strip('"')
        lines.append(f"| `{reason.value}` | {meaning} |")
    return "\n".join(lines) + "\n"


def error_tree() -> str:
    """docs/reference/errors.md: what went wrong, by what to do next."""
    lines = ["# Errors and exit codes\n", "Generated from `migrate/core/errors.py`.\n"]
    lines += ["| exit code | error | meaning |", "| --- | --- | --- |"]
    for kind in _errors():
        meaning = (kind.__doc__ or "").strip().splitlines()[0]
        lines.append(f"| {kind.exit_code} | `{kind.__name__}` | {meaning} |")
    lines += [
        "",
        "A verdict has exit codes of its own: 0 agrees, 1 differs, 6 could not verify.",
        "",
    ]
    return "\n".join(lines)


def _errors() -> Iterator[type[errors.MigrateError]]:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    yield from sorted(kinds, key=lambda kind: (kind.exit_code, kind.__name__))


def plan() -> str:
    """docs/reference/plan.md."""
    from migrate.plan.reference import markdown

    return markdown()


def plan_schema() -> str:
    """docs/reference/plan.schema.json, for editors."""
    from migrate.plan.reference import json_schema

    return json_schema()


def stores() -> str:
    """docs/reference/stores.md: every registered kind of legacy store, by its own words."""
    from extractors import STORES
    from migrate.core.registry import resolve

    lines = ["# Legacy stores\n", "Generated from the registry in `extractors/__init__.py`.\n"]
    lines.append("Every kind is read-only, can be read from any checkpoint, and passes")
    lines.append("`tests/contract/test_store.py`.\n")
    for kind in STORES:
        about = resolve(STORES, kind, what="kind of legacy store", extras={}).about
        lines += [f"## `{kind}`\n", f"{about.what}\n", "| | |", "| --- | --- |"]
        lines += [f"| `url` | {about.url} |", f"| `from` | {about.from_} |"]
        lines += [f"| `options.{name}` | {meaning} |" for name, meaning in about.options]
        lines += [f"| legacy id | {about.identity} |", f"| tested on | {about.tested} |", ""]
        lines += ["It sees\n", *(f"- {each}" for each in about.sees), ""]
        lines += ["It cannot see\n", *(f"- {each}" for each in about.cannot_see), ""]
    return "\n".join(lines)


def formats() -> str:
    """docs/reference/formats.md."""
    from migrate.formats.reference import markdown

    return markdown()


def guarantees() -> str:
    """docs/explain/guarantees.md."""
    from reconcile.guarantees import page

    return page()


PAGES: dict[str, Callable[[], str]] = {
    "reference/cli.md": command_line,
    "reference/reasons.md": reasons,
    "reference/errors.md": error_tree,
    "reference/plan.md": plan,
    "reference/plan.schema.json": plan_schema,
    "reference/stores.md": stores,
    "reference/formats.md": formats,
    "explain/guarantees.md": guarantees,
}


def stale() -> list[str]:
    """The pages that are not what the program says now."""
    return [name for name, make in PAGES.items() if _now(name) != make()]


def _now(name: str) -> str:
    path = HERE / name
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def main() -> int:
    """Write, or with --check compare, every generated page."""
    if "--check" in sys.argv:
        old = stale()
        for name in old:
            sys.stderr.write(f"docs/{name} is out of date: run `make docs`\n")
        return 1 if old else 0
    for name, make in PAGES.items():
        (HERE / name).write_text(make(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
