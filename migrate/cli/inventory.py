"""`isb-migrate inventory`."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from migrate.cli.options import json_option, path_argument
from migrate.cli.output import data, data_json, table
from migrate.core.ports import Claim


@click.command("inventory")
@path_argument("plan", dir_okay=False)
@json_option
def command(plan: Path, as_json: bool) -> None:
    """Say what PLAN's legacy stores hold: tables or files, records, bytes, and who claims them.

    \b
    Example:
      isb-migrate inventory estate/plan.toml
    """
    from migrate.plan.load import load_plan

    rows = inventory(load_plan(plan))
    if as_json:
        data_json(rows)
        return
    columns = ("store", "container", "records", "bytes", "claimed by")
    table(columns, [[row[name] for name in columns] for row in rows])
    data(f"{len(rows)} containers, {sum(row['records'] or 0 for row in rows):,} records")


def inventory(plan: Any) -> list[dict[str, Any]]:
    """One row a container of every store of a plan."""
    from migrate.plan.stores import open_store

    rows: list[dict[str, Any]] = []
    for name, spec in plan.stores.items():
        store = open_store(spec)
        sources = [flow.source for flow in plan.flows.values() if flow.source.store == name]
        try:
            items = store.inventory()
            claims = _by_container(store.claims(sources), {item.name for item in items})
            rows += [_row(name, item, claims[item.name]) for item in items]
        finally:
            store.close()
    return rows


def _by_container(claims: Iterable[Claim], names: set[str]) -> Mapping[str, list[Claim]]:
    """The claims on each container; those on record types of a file, `file#21`, are on the file."""
    found = defaultdict(list)
    for claim in claims:
        own = claim.container
        found[own if own in names else own.rpartition("#")[0]].append(claim)
    return found


def _row(store: str, container: Any, own: list[Claim]) -> dict[str, Any]:
    """A container with the claims on it."""
    flows = sorted({flow for claim in own for flow in claim.flows})
    # Only a flow knows how a file is cut into records.
    records = sum(claim.records for claim in own) if flows else container.rows
    return {
        "store": store,
        "container": container.name,
        "records": records,
        "bytes": container.bytes,
        "claimed by": ", ".join(flows),
        "columns": list(container.columns),
        "detail": {**asdict(container)["detail"]},
    }
