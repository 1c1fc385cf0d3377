"""A whole proposal: the stores of a place with the payloads of their flows, ready to be written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from migrate.core.errors import UsageError
from migrate.core.flow import StoreSpec
from migrate.core.progress import Progress
from migrate.core.proposal import FlowDraft, Place, Recognised, StoreDraft, plain_name
from migrate.plan.propose.payload import Payload, payload_of
from migrate.plan.stores import open_store

_SHOWN = 5
"""Of how many containers an error says why they are no flows."""


@dataclass(frozen=True, slots=True)
class ProposedFlow:
    """A flow under its name in the plan; `draft.source.store` is that of its store."""

    draft: FlowDraft
    payload: Payload

    @property
    def name(self) -> str:
        return self.draft.source.flow


@dataclass(frozen=True, slots=True)
class ProposedStore:
    """A store under its name in the plan; `can_write`: how this account could change it."""

    draft: StoreDraft
    flows: tuple[ProposedFlow, ...]
    can_write: str | None

    @property
    def spec(self) -> StoreSpec:
        return self.draft.spec


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a place was recognised as, and all that is proposed for it."""

    what: str
    stores: tuple[ProposedStore, ...]

    @property
    def flows(self) -> list[ProposedFlow]:
        """The flows of all stores."""
        return [flow for store in self.stores for flow in store.flows]


def propose(place: Place, recognised: Recognised, progress: Progress) -> Proposal:
    """Drafts the stores and samples their flows.

    Raises UsageError where the place holds nothing, LegacyUnreadable where it cannot be read.
    """
    progress.note(f"{recognised.what}: looking at what is there")
    drafts = _named(recognised.draft())
    stores = tuple(_proposed(place, draft, progress) for draft in drafts)
    if not any(store.flows for store in stores):
        left_out = [each for store in stores for each in store.spec.out_of_scope]
        seen = "; ".join(f"{name}: {why}" for name, why in left_out[:_SHOWN])
        raise UsageError(
            f"nothing there looks like messages{f' ({seen})' if seen else ''}",
            hint="see isb-migrate inventory, and write the plan by hand",
        )
    return Proposal(recognised.what, stores)


def _named(drafts: Sequence[StoreDraft]) -> list[StoreDraft]:
    """The drafts with names for stores, and each flow's name once over all of them."""
    named: list[StoreDraft] = []
    taken: list[str] = []
    for draft in drafts:
        store = plain_name("legacy", [one.spec.name for one in named])
        flows: list[FlowDraft] = []
        for flow in draft.flows:
            taken.append(plain_name(flow.source.flow, taken))
            flows.append(replace(flow, source=replace(flow.source, flow=taken[-1], store=store)))
        spec = replace(draft.spec, name=store)
        named.append(replace(draft, spec=spec, flows=tuple(flows)))
    return named


def _proposed(place: Place, draft: StoreDraft, progress: Progress) -> ProposedStore:
    store = open_store(draft.spec)
    try:
        flows = []
        for flow in draft.flows:
            progress.note(f"flow {flow.source.flow}: sampling")
            payload = payload_of(store, flow.source, place.sample)
            flows.append(ProposedFlow(flow, payload))
        return ProposedStore(draft, tuple(flows), store.can_write())
    finally:
        store.close()


def table_names(stores: Sequence[ProposedStore]) -> Mapping[str, tuple[str, str]]:
    """Reference tables over all stores: by name the store and the query."""
    return {
        name: (store.spec.name, query)
        for store in stores
        for name, query in store.draft.tables.items()
    }
