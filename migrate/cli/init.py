"""`isb-migrate init`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from migrate.cli.options import json_option, option, progress_option
from migrate.cli.output import data, data_json, say, table
from migrate.cli.progress import shown
from migrate.core.proposal import TO_BE_COMPLETED

if TYPE_CHECKING:
    from migrate.plan.propose.proposal import Proposal


@click.command("init")
@click.argument("url")
@option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("plan.toml"),
    help="The plan; mappings and schemas are written beside it.",
)
@option("--kind", help="The kind of store, where it can be read as several.")
@option("--schema", help="The database schema.")
@option("--sample", type=click.IntRange(1, 10_000), default=500, help="Records looked at, a flow.")
@option("--allow-writes", is_flag=True, help="Propose it although the account could change it.")
@json_option
@progress_option
def command(
    url: str,
    out: Path,
    kind: str | None,
    schema: str | None,
    sample: int,
    allow_writes: bool,
    as_json: bool,
    progress: str,
) -> int:
    """Look at a legacy store at URL, propose a plan for it, and check the plan.

    URL is a database's (as SQLAlchemy writes it), a file or a folder; ${NAME} in it is taken from
    the environment. As proposed, every message is archived and nothing is replayed; what was
    guessed is marked, what only people can say is asked for. A password never gets into the
    plan, no payload value does, and no file is overwritten. The exit code is that of `check`.

    \b
    Examples:
      isb-migrate init sqlite:///isb.db --out migration/plan.toml
      isb-migrate init /var/spool/gateway --out migration/plan.toml
      isb-migrate init '${ISB_URL}' --schema isb
    """
    from migrate.core.proposal import plain_name
    from migrate.plan.check import check_plan
    from migrate.plan.load import load_plan
    from migrate.plan.propose.place import candidates, name_of, place_of
    from migrate.plan.propose.proposal import propose
    from migrate.plan.propose.render import VARIABLE, Setting, written_url
    from migrate.plan.propose.write import refuse_taken, write_proposal

    place = place_of(url, os.environ, kind=kind, schema=schema, sample=sample)
    refuse_taken(out, place)
    found = candidates(place, kind)
    with shown(progress) as bars:
        proposal = propose(place, found[0], bars)
        name = plain_name(name_of(place), otherwise="isb")
        setting = Setting(out.absolute().parent, name, url, allow_writes)
        written = write_proposal(proposal, setting, out)
        hidden = any(VARIABLE in written_url(store.spec, setting) for store in proposal.stores)
        environ = {**os.environ, VARIABLE: place.url} if hidden and "${" not in url else os.environ
        report = check_plan(load_plan(out, environ=environ), progress=bars)
    if as_json:
        data_json(
            {
                "recognised": proposal.what,
                "kinds": [store.spec.kind for store in proposal.stores],
                "files": [str(path) for path in written],
                "set": VARIABLE if environ is not os.environ else None,
                "problems": [
                    f"{one.severity}: {one.where}: {one.message}" for one in report.problems
                ],
                "exit_code": report.exit_code,
            }
        )
        return report.exit_code
    data(f"recognised: {proposal.what}")
    for other in found[1:]:
        say(f"it could be read as kind {other.kind} too ({other.what}): --kind {other.kind}")
    for path in written:
        data(f"wrote {path}")
    if environ is not os.environ:
        data(
            f"the URL holds a secret and is not in the plan: export {VARIABLE}=… before you use it"
        )
    _say_what(proposal)
    for problem in report.problems:
        data(f"{problem.severity}: {problem.where}: {problem.message}")
        if problem.hint:
            data(f"  what to do: {problem.hint}")
    if report.exit_code == 0:
        data(f"checked: a run may start; next: isb-migrate rehearse {out}")
    else:
        data(f"checked: the plan needs mending first; then: isb-migrate check {out}")
    return report.exit_code


def _say_what(proposal: "Proposal") -> None:
    """The flows, and what somebody has to answer for."""
    rows = []
    for flow in proposal.flows:
        payload = flow.payload
        rows.append(
            (flow.name, flow.draft.source.from_, payload.spec.format, len(payload.spec.fields))
        )
    table(("flow", "from", "payload", "fields"), rows)
    for store in proposal.stores:
        left_out = [
            name for name, why in store.spec.out_of_scope if why.startswith(TO_BE_COMPLETED)
        ]
        if left_out:
            data(f"out of scope, the reasons to be completed: {', '.join(left_out)}")
