"""`isb-migrate inventory`."""

from collections import defaultdict
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from migrate.cli.options import json_option, path_argument
from migrate.cli.output import data, data_json, table


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
            claims = defaultdict(list)
            for claim in store.claims(sources):
                claims[claim.container].append(claim)
            rows += [_row(name, item, claims[item.name]) for item in store.inventory()]
        finally:
            store.close()
    return rows


def _row(store: str, container: Any, own: Any) -> dict[str, Any]:
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
