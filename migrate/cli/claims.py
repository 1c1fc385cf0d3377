"""`isb-migrate claims`."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from migrate.cli.options import find_run, json_option, option, plan_dir_option, runs_option
from migrate.cli.output import data_json, say, table
from migrate.core.errors import CouldNotVerify, UsageError

if TYPE_CHECKING:
    from loaders.claims.account import Account, Claimed, Referring
    from migrate.plan.claims import ClaimBus

DIFFERS = 1
_WHAT = click.argument("what", metavar="PLAN_OR_RUN")


@click.group("claims")
def command() -> None:
    """List, verify or prune the bodies that lie in a claim store.

    They are those of the bus of a plan, or of a run (by its sealed plan; of a rehearsal the
    embedded bus). No body is ever shown.

    \b
    Examples:
      isb-migrate claims list plan.toml --unreferenced
      isb-migrate claims verify 20260301T220000-a1b2
    """


@command.command("list")
@_WHAT
@runs_option
@plan_dir_option
@option("--unreferenced", is_flag=True, help="Only claims to which no delivery refers.")
@json_option
def list_(what: str, runs: Path, plan_dir: Path | None, unreferenced: bool, as_json: bool) -> None:
    """List the claims of PLAN_OR_RUN, and which deliveries on the bus refer to each.

    States: `referred`; `missing` (a delivery refers to it, and the store has none of that name);
    `unreferenced` (left by a run that was killed, or its deliveries are gone); `unfinished`
    (a writer died over it). Only names and headers are read, no body.

    \b
    Example:
      isb-migrate claims list plan.toml --json
    """
    with _bus(what, runs, plan_dir).opened() as (_, account):
        claims = [one for one in account.claims.values() if not (unreferenced and one.referring)]
    if as_json:
        data_json({"claims": [_json(one) for one in claims], **_around(account)})
        return
    rows = [(one.state, one.name, _bytes(one), _offered(one), _places(one)) for one in claims]
    table(("state", "claim", "bytes", "last offered", "deliveries"), rows)
    _say_around(account)


@command.command("verify")
@_WHAT
@runs_option
@plan_dir_option
@json_option
def verify(what: str, runs: Path, plan_dir: Path | None, as_json: bool) -> int:
    """Fetch every claim that a delivery on the bus refers to, as its receiver would.

    Exit code 0 when each is as long as the delivery says and has its digest, 1 when one is
    `missing` or `altered`, 6 when store or bus cannot be read, or an off-ramp is seen by a number
    only. Claims to which nothing refers are counted, and change nothing.

    \b
    Example:
      isb-migrate claims verify plan.toml
    """
    from loaders.claims.account import WHOLE, verified

    with _bus(what, runs, plan_dir).opened() as (store, account):
        found = [
            (claim, one, state)
            for claim in account.claims.values()
            for one, state in verified(claim, store)
        ]
    amiss = [each for each in found if each[2] != WHOLE]
    if as_json:
        told = [
            {"claim": claim.name, "state": state, **_delivery(one)} for claim, one, state in amiss
        ]
        data_json({"deliveries": len(found), "amiss": told, **_around(account)})
    else:
        columns = ("state", "claim", "off-ramp", "lane", "message", "place", "run")
        rows = [(state, claim.name, *_delivery(one).values()) for claim, one, state in amiss]
        table(columns, rows)
        say(f"{len(found):,} deliveries refer to claims, {len(amiss):,} of them in vain")
        _say_around(account)
    if amiss:
        return DIFFERS
    return CouldNotVerify.exit_code if account.uncounted else 0


@command.command("prune")
@_WHAT
@runs_option
@plan_dir_option
@option(
    "--delete",
    type=click.IntRange(1),
    metavar="COUNT",
    help="Remove them, exactly as many as the last look has shown.",
)
@json_option
def prune(what: str, runs: Path, plan_dir: Path | None, delete: int | None, as_json: bool) -> None:
    """Show the claims of PLAN_OR_RUN that nothing needs; with --delete COUNT remove them.

    That is: no delivery on any off-ramp of the plan refers to them, and no run has offered them
    for a day, so that none can have them under way. Nothing is removed where an off-ramp is not
    seen whole (exit code 6), or where there are not exactly COUNT any more. A store that another
    bus uses, too, or off-ramps that the plan no longer names, is not for this command.

    \b
    Examples:
      isb-migrate claims prune plan.toml
      isb-migrate claims prune plan.toml --delete 12
    """
    from migrate.plan.claims import removable

    with _bus(what, runs, plan_dir).opened() as (store, account):
        claims = removable(account)
        if delete is not None and delete != len(claims):
            raise UsageError(
                f"there are {len(claims):,} claims that nothing needs, not {delete:,}",
                hint="look at them again without --delete; nothing was removed",
            )
        gone = [] if delete is None else [one for one in claims if _removed(store, one)]
    if as_json:
        data_json({"claims": [_json(one) for one in claims], "removed": len(gone)})
        return
    rows = [(one.state, one.name, _bytes(one), _offered(one)) for one in claims]
    table(("state", "claim", "bytes", "last offered"), rows)
    say(f"{_sum(claims)} that nothing needs; {len(gone):,} removed")


def _removed(store: Any, claim: "Claimed") -> bool:
    return bool(claim.kept is not None and store.remove(claim.kept))


def _bus(what: str, runs: Path, plan_dir: Path | None) -> "ClaimBus":
    """Of a run by its id or folder, else of a plan."""
    from migrate.plan.claims import of_plan, of_run

    path = Path(what)
    is_run = (path / "baseline.json").is_file()
    if path.is_file() or ((path / "plan.toml").is_file() and not is_run):
        return of_plan(path)
    return of_run(find_run(what, runs), plan_dir)


def _json(claim: "Claimed") -> dict[str, Any]:
    return {
        "claim": claim.name,
        "state": claim.state,
        "bytes": _bytes(claim),
        "offered": _offered(claim),
        "deliveries": [_delivery(one) for one in claim.referring],
    }


def _delivery(one: "Referring") -> dict[str, Any]:
    return {
        "destination": one.destination,
        "lane": one.lane,
        "message_id": one.message_id,
        "place": one.place,
        "run": one.run,
    }


def _bytes(claim: "Claimed") -> int | None:
    return None if claim.kept is None else claim.kept.bytes


def _offered(claim: "Claimed") -> str | None:
    moment = None if claim.kept is None else claim.kept.offered
    return None if moment is None else moment.isoformat(timespec="seconds")


def _places(claim: "Claimed") -> str:
    """How many deliveries, by off-ramp and lane."""
    counts = Counter(f"{one.destination}.{one.lane}" for one in claim.referring)
    return ", ".join(f"{place} {count:,}" for place, count in sorted(counts.items()))


def _around(account: "Account") -> dict[str, Any]:
    """Counts and bytes by state, and what cannot be seen."""
    by_state: dict[str, dict[str, int]] = {}
    for claim in account.claims.values():
        totals = by_state.setdefault(claim.state, {"claims": 0, "bytes": 0})
        totals["claims"] += 1
        totals["bytes"] += _bytes(claim) or 0
    return {"totals": by_state, "unseen": dict(account.uncounted)}


def _say_around(account: "Account") -> None:
    by_state: dict[str, list[Claimed]] = {}
    for claim in account.claims.values():
        by_state.setdefault(claim.state, []).append(claim)
    for state, claims in sorted(by_state.items()):
        say(f"{state}: {_sum(claims)}")
    for name, reason in sorted(account.uncounted.items()):
        say(f"off-ramp {name} may refer to further claims: {reason}")


def _sum(claims: "Iterable[Claimed] | Sequence[Claimed]") -> str:
    sizes = [_bytes(one) or 0 for one in claims]
    return f"{len(sizes):,} claims, {sum(sizes):,} bytes"
