"""`isb-migrate inventory`."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from migrate.cli.options import json_option, option, progress_option
from migrate.cli.output import data, data_json, table
from migrate.cli.progress import shown
from migrate.core.errors import UsageError

if TYPE_CHECKING:
    from migrate.core.flow import StoreSpec
    from migrate.core.progress import Progress
    from migrate.plan.holdings import Holding, Reading

PLAN_FILE = "plan.toml"
_VALUES = ("types", "priorities", "states", "destinations")


@click.command("inventory")
@click.argument("what", nargs=-1, required=True, metavar="PLAN | [KIND] URL")
@option("--quick", is_flag=True, help="Only what plain queries tell; no pass over the records.")
@option("--schema", help="Without a plan: the database schema.")
@option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write a page, too.")
@json_option
@progress_option
def command(
    what: tuple[str, ...],
    quick: bool,
    schema: str | None,
    html: Path | None,
    as_json: bool,
    progress: str,
) -> None:
    """Say what legacy stores hold: those of PLAN, or the one at URL.

    Container by container: records, bytes, oldest and newest, message types, priorities, states,
    destinations, what cannot be decoded, and who claims it. For the last ones every record of
    every flow is read once. No payload and no id is shown.

    \b
    Examples:
      isb-migrate inventory estate/plan.toml
      isb-migrate inventory estate/plan.toml --html inventory.html
      isb-migrate inventory /var/spool/gateway --quick
      isb-migrate inventory activemq-jdbc '${AMQ_URL}' --json
    """
    if html is not None and html.exists():
        raise UsageError(f"{html} is there already", hint="name another file with --html")
    taken = datetime.now(UTC)
    with shown(progress) as bars:
        title, marking, stores = _stores(what, schema, bars)
        found = _found(stores, bars, quick=quick)
    if html is not None:
        _write(html, title, marking, taken, found, quick=quick)
    if as_json:
        data_json([_json(each) for each in found])
        return
    _print(found, quick=quick)
    if html is not None:
        data(f"page: {html}")


Stores = list[tuple["StoreSpec", list["Reading"]]]


def _stores(
    what: Sequence[str], schema: str | None, bars: "Progress"
) -> tuple[str, str | None, Stores]:
    """Title, marking (None without a plan), and the stores with how they are read."""
    if len(what) > 2:
        raise UsageError("too many words", hint="PLAN, URL, or KIND URL")
    plan = Path(what[0])
    if len(what) == 1 and (plan.suffix == ".toml" or (plan / PLAN_FILE).is_file()):
        return _of_plan(plan)
    return _of_url(what[-1], what[0] if len(what) == 2 else None, schema, bars)


def _of_plan(path: Path) -> tuple[str, str | None, Stores]:
    from migrate.plan.holdings import Reading
    from migrate.plan.load import load_plan

    plan = load_plan(path)
    stores: Stores = []
    for name, spec in plan.stores.items():
        flows = [flow for flow in plan.flows.values() if flow.source.store == name]
        stores.append((spec, [Reading(flow.source, flow.payload) for flow in flows]))
    return plan.model.plan.name, plan.model.plan.marking, stores


def _of_url(
    url: str, kind: str | None, schema: str | None, bars: "Progress"
) -> tuple[str, str | None, Stores]:
    from dataclasses import replace

    from migrate.core.proposal import plain_name
    from migrate.core.redact_url import mask_url
    from migrate.plan.holdings import Reading
    from migrate.plan.propose.place import candidates, place_of, recognised

    place = place_of(url, os.environ, kind=kind, schema=schema)
    found = recognised(place, kind) if kind else candidates(place)
    if kind and not found:
        return mask_url(url), None, [_by_container(place.spec(kind))]
    bars.note(f"{found[0].what}: looking at what is there")
    stores: Stores = []
    for draft in found[0].draft():
        name = plain_name("legacy", [spec.name for spec, _ in stores])
        readings = [Reading(replace(flow.source, store=name)) for flow in draft.flows]
        stores.append((replace(draft.spec, name=name), readings))
    return mask_url(url), None, stores


def _by_container(spec: "StoreSpec") -> tuple["StoreSpec", list["Reading"]]:
    """A store of a kind that proposes nothing: every container is read under its own name."""
    from migrate.core.flow import SourceSpec
    from migrate.core.proposal import plain_name
    from migrate.plan.holdings import Reading
    from migrate.plan.stores import open_store

    store = open_store(spec)
    try:
        names: dict[str, str] = {}
        for container in store.inventory():
            names[container.name] = plain_name(container.name, names.values())
    finally:
        store.close()
    return spec, [Reading(SourceSpec(flow, spec.name, name)) for name, flow in names.items()]


def _found(stores: Stores, bars: "Progress", *, quick: bool) -> list["Holding"]:
    from migrate.plan.holdings import holdings

    return [
        holding
        for spec, readings in stores
        for holding in holdings(spec, readings, bars, quick=quick)
    ]


def _json(holding: "Holding") -> dict[str, Any]:
    return {**asdict(holding), "claimed by": ", ".join(holding.flows)}


def _print(found: Sequence["Holding"], *, quick: bool) -> None:
    columns = ["store", "container", "records", "bytes", "oldest", "newest", "claimed by"]
    if not quick:
        columns.append("undecodable")
    table(columns, [_row(each)[: len(columns)] for each in found])
    said = [each for each in found if any(getattr(each, name) != {} for name in _VALUES)]
    if said:
        data("")
        cells = [[each.container, *_cells(each)] for each in said]
        table(("container", *_VALUES), cells)
    data(f"{len(found)} containers, {sum(each.records or 0 for each in found):,} records")


def _row(holding: "Holding") -> list[Any]:
    claimed = ", ".join(holding.flows) or holding.claim
    return [
        *(holding.store, holding.container, holding.records, holding.bytes),
        *(holding.oldest, holding.newest, claimed, holding.undecodable),
    ]


def _cells(holding: "Holding") -> Iterator[str]:
    for name in _VALUES:
        counts = getattr(holding, name)
        if counts is None:
            yield "too many different ones"
        else:
            yield ", ".join(f"{value or '(empty)'}: {often:,}" for value, often in counts.items())


def _write(
    path: Path,
    title: str,
    marking: str | None,
    taken: datetime,
    found: Sequence["Holding"],
    *,
    quick: bool,
) -> None:
    """The page, for nobody but its owner."""
    from migrate import __version__
    from migrate.core.clock import rfc3339
    from reports.inventory import HEADINGS, Inventory, Row, Store, render

    stores: dict[str, list[Row]] = {}
    kinds: dict[str, str] = {}
    for each in found:
        kinds[each.store] = each.kind
        values = (*(getattr(each, name) for name in _VALUES), each.reasons)
        said = {name: one for name, one in zip(HEADINGS, values, strict=True) if one != {}}
        stores.setdefault(each.store, []).append(
            Row(
                each.container,
                each.records,
                each.bytes,
                each.oldest,
                each.newest,
                each.undecodable,
                each.claim,
                each.flows,
                said,
            )
        )
    page = render(
        Inventory(
            title=title,
            marking=marking or "",
            taken=rfc3339(taken.replace(microsecond=0)),
            version=__version__,
            planned=marking is not None,
            quick=quick,
            stores=[Store(name, kinds[name], rows) for name, rows in stores.items()],
        )
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(page)
