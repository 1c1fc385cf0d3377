"""Where the catalogue says that a message arrives is where its routes send it."""

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from migrate.core.flow import ARCHIVE, LANES, OffRampSpec, RouteSpec
from migrate.plan.catalogue.arrivals import Channel, channels
from migrate.plan.plan import Plan
from tests.catalogue.plans import CASES, plan

PLAN = plan(CASES / "references")
CONDITIONS = ("a", "b", "c", "d")
NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,4}", fullmatch=True).filter(
    lambda name: name != ARCHIVE
)
ROUTES = st.lists(
    st.builds(
        RouteSpec,
        st.sampled_from(["x", "y"]),
        st.sampled_from(LANES),
        st.none() | st.sampled_from(CONDITIONS),
    ),
    min_size=1,
    max_size=6,
)


def routed(routes: list[RouteSpec]) -> Plan:
    """A plan whose first output has these routes, and no other."""
    flow = PLAN.flows["f"]
    output = replace(flow.outputs[0], routes=tuple(routes))
    ramps = {name: OffRampSpec(name) for name in {route.to for route in routes}}
    return replace(PLAN, flows={"f": replace(flow, outputs=(output,))}, offramps=ramps)


def arrives(channel: Channel, holding: set[str]) -> bool:
    """Whether what the channel announces lets a message in of which these conditions hold."""
    return any(
        (way.when is None or way.when in holding) and not holding.intersection(way.unless)
        for arrival in channel.arrivals
        for way in arrival.ways
    )


def lanes_of(routes: list[RouteSpec], holding: set[str]) -> set[tuple[str, str]]:
    """What the plan's reference says: of an off-ramp's routes the first that holds gives the
    lane."""
    found: dict[str, str] = {}
    for route in routes:
        if route.when is None or route.when in holding:
            found.setdefault(route.to, route.lane)
    return set(found.items())


@given(ROUTES, st.sets(st.sampled_from(CONDITIONS)))
def test_a_message_arrives_where_the_first_route_that_holds_sends_it(
    routes: list[RouteSpec], holding: set[str]
) -> None:
    """For any routes of any off-ramps, whatever holds of the message. A plan has no route behind
    an unconditional one to the same off-ramp; there is none here either."""
    ended: set[str] = set()
    kept = []
    for route in routes:
        if route.to not in ended:
            kept.append(route)
        if route.when is None:
            ended.add(route.to)
    announced = channels(routed(kept))
    entered = {(one.ramp.name, one.lane) for one in announced if arrives(one, holding)}
    assert entered == lanes_of(kept, holding)


@given(st.lists(NAMES, min_size=1, max_size=6, unique=True))
def test_every_channel_has_a_name_of_its_own_that_any_tool_takes(names: list[str]) -> None:
    """However much alike off-ramps are called."""
    ids = [one.id for one in channels(routed([RouteSpec(name) for name in names]))]
    assert len(set(ids)) == len(names)
    assert all(re.fullmatch(r"[\w.-]+", each, re.ASCII) for each in ids)
