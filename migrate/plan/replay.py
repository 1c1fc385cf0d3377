"""A plan turned on the quarantine of a run: the same flows, mappings and routes, another source."""

from dataclasses import replace

from migrate.core.flow import StoreSpec
from migrate.core.runfolder import RunFolder
from migrate.plan.plan import Plan

STORE = "quarantine"


def replaying(plan: Plan, kept: RunFolder) -> Plan:
    """`plan` with what `kept` quarantined as its only store.

    Totals declared for the whole population say nothing about it and are left
    out; reference tables still come from the plan's own stores.
    """
    flows = {
        name: replace(flow, control_rows=None, source=replace(flow.source, store=STORE))
        for name, flow in plan.flows.items()
    }
    return replace(
        plan,
        flows=flows,
        stores={STORE: StoreSpec(STORE, "kept", str(kept.root))},
        table_stores=plan.stores,
        replays=kept.run_id,
    )
