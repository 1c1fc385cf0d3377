"""`isb-migrate topology`."""

import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from migrate.cli.options import json_option, option, path_argument, progress_option
from migrate.cli.output import data, data_json, say, table
from migrate.cli.progress import shown
from migrate.cli.routing import as_json as equivalence_json
from migrate.cli.routing import listing, print_equivalence, write_page
from migrate.core.errors import UsageError

if TYPE_CHECKING:
    from migrate.topology.pieces import Compared


@click.group("topology")
def command() -> None:
    """What the new bus will have, what it has, and whether it routes as the legacy bus did.

    \b
    Examples:
      isb-migrate topology plan estate/plan.toml
      isb-migrate topology equivalence estate/plan.toml --html routing.html
    """


@command.command("plan")
@path_argument("plan", dir_okay=False)
@json_option
def plan_(plan: Path, as_json: bool) -> None:
    """Say what PLAN will make on the bus, and what takes the place of which legacy endpoint.

    Nothing is connected to but, where PLAN reads legacy rules from a store, that store.

    \b
    Example:
      isb-migrate topology plan estate/plan.toml
    """
    from migrate.plan.legacy import read_all
    from migrate.plan.load import load_plan
    from migrate.topology.bus import wanted
    from migrate.topology.successors import offramps, orphans

    loaded = load_plan(plan)
    pieces = wanted(loaded)
    buses = read_all(loaded)
    ramps, without = offramps(loaded, buses), orphans(loaded, buses)
    if as_json:
        data_json(
            {
                "bus": {"name": loaded.bus.name, "kind": loaded.bus.kind},
                "pieces": [{**asdict(one), "settings": dict(one.settings)} for one in pieces],
                "offramps": [asdict(ramp) for ramp in ramps],
                "endpoints_without_successor": [asdict(one) for one in without],
                "offramps_without_predecessor": [one.name for one in ramps if not one.replaces],
            }
        )
        return
    table(
        ("off-ramp", "lanes", "flows", "takes the place of"),
        [
            (
                ramp.name,
                ", ".join(ramp.lanes),
                ", ".join(ramp.flows),
                ", ".join(ramp.replaces) or "nothing",
            )
            for ramp in ramps
        ],
    )
    data("")
    rows = [(one.kind, one.name, "; ".join(_settings(one.settings))) for one in pieces]
    table(("piece", "name", "settings"), rows)
    for one in without:
        about = f" ({one.about})" if one.about else ""
        data(f"{one.legacy}: endpoint {one.endpoint}{about} has no successor")


def _settings(settings: Any) -> list[str]:
    return [f"{name} = {value}" for name, value in settings.items()]


@command.command("diff")
@path_argument("plan", dir_okay=False)
@json_option
def diff(plan: Path, as_json: bool) -> int:
    """Compare what PLAN wants on the bus with what the bus has. Nothing is touched.

    Each piece is `missing`, `differs` (setting by setting), `further` (it bears our names, and
    PLAN does not want it) or `same`. Exit code 0 when all are the same, else 1.

    \b
    Example:
      isb-migrate topology diff estate/plan.toml
    """
    from migrate.plan.load import load_plan
    from migrate.topology.bus import difference

    found = difference(load_plan(plan))
    _show(found, as_json=as_json)
    return int(any(one.state != "same" for one in found))


@command.command("apply")
@path_argument("plan", dir_okay=False)
@option("--dry-run", is_flag=True, help="Only show what would be made, or why it would not.")
@json_option
def apply(plan: Path, dry_run: bool, as_json: bool) -> int:
    """Show the difference, then make what is missing on the bus of PLAN; asks nothing.

    What is there and differs is never altered: then nothing is made, and the exit code is 4. What
    is there besides stays. A second time there is nothing to do.

    \b
    Examples:
      isb-migrate topology apply estate/plan.toml --dry-run
      isb-migrate topology apply estate/plan.toml
    """
    from migrate.core.errors import BusRefused
    from migrate.plan.load import load_plan
    from migrate.topology.bus import difference, make

    loaded = load_plan(plan)
    found = difference(loaded)
    _show(found, as_json=as_json)
    missing = [one for one in found if one.state == "missing"]
    differing = any(one.state == "differs" for one in found)
    if dry_run and not differing:
        say(f"would make {len(missing)}" if missing else "nothing to make")
        return 0
    if dry_run:
        say("would be refused: what is there and differs is never altered")
        return BusRefused.exit_code
    if missing or differing:
        make(loaded, found)
    say(f"made {len(missing)}" if missing else "nothing to make")
    return 0


def _show(found: "list[Compared]", *, as_json: bool) -> None:
    if as_json:
        data_json([_piece(one) for one in found])
        return
    rows = [(one.state, one.kind, one.name, "; ".join(_told(one))) for one in found]
    table(("state", "piece", "name", "wanted and there"), rows)


def _piece(one: "Compared") -> dict[str, Any]:
    settings = {n: {"wanted": pair[0], "there": pair[1]} for n, pair in one.settings.items()}
    return {"state": one.state, "kind": one.kind, "name": one.name, "settings": settings}


def _told(one: "Compared") -> list[str]:
    if one.state != "differs":
        return [f"{name} = {left or right}" for name, (left, right) in one.settings.items()]
    return [
        f"{name}: wanted {_or_nothing(left)}, there {_or_nothing(right)}"
        for name, (left, right) in one.settings.items()
    ]


def _or_nothing(value: str | None) -> str:
    return "nothing" if value is None else f'"{value}"'


@command.command("equivalence")
@path_argument("plan", dir_okay=False)
@option("--flow", "flows", multiple=True, help="Only this flow; may be given several times.")
@option("--as-of", help="The moment at which fates are decided, RFC 3339; default: now.")
@option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write a page, too.")
@option(
    "--list",
    "list_to",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write every deviation that is not declared to this CSV file.",
)
@json_option
@progress_option
def equivalence(
    plan: Path,
    flows: tuple[str, ...],
    as_of: str | None,
    html: Path | None,
    list_to: Path | None,
    as_json: bool,
    progress: str,
) -> int:
    """Put every legacy message of PLAN through the legacy rules and through MetIP's.

    Deviations are counted by legacy rule and MetIP route, with a few legacy ids each (keyed
    hashes, unless the plan says ids = "plain"). Exit code 0 when both route alike or every
    deviation is declared in PLAN, 1 when one is not, 6 when a flow has no legacy rules to be
    compared with. Stores are only read; the bus is not connected to.

    \b
    Examples:
      isb-migrate topology equivalence estate/plan.toml
      isb-migrate topology equivalence estate/plan.toml --html routing.html --list open.csv
    """
    from migrate.plan.load import load_plan
    from migrate.topology.equivalence import compare

    for path in (html, list_to):
        if path is not None and path.exists():
            raise UsageError(f"{path} is there already", hint="name another file")
    loaded = load_plan(plan)
    unknown = [flow for flow in flows if flow not in loaded.flows]
    if unknown:
        known = ", ".join(loaded.flows)
        raise UsageError(f'the plan has no flow "{unknown[0]}"', hint=f"known: {known}")
    moment = _moment(as_of)
    with listing(list_to) as listed, shown(progress) as bars:
        found = compare(loaded, moment, bars, flows=flows, listed=listed)
    if html is not None:
        write_page(html, loaded, found)
    if as_json:
        data_json(equivalence_json(found))
    else:
        print_equivalence(found)
    for path in (html, list_to):
        if path is not None:
            say(f"written: {os.fspath(path)}")
    return found.exit_code


def _moment(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        found: datetime | None = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise UsageError("--as-of is no instant", hint="such as 2026-03-01T22:00:00Z")
    return found.astimezone(UTC)
