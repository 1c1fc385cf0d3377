"""Events of in-vehicle and hand-held applications: JSON, in three lanes by priority.

A newer position makes an older one worthless, so a quarantined event holds
nothing back. Sightings go to MetSearch as well.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from migrate.sample.dice import dice, spread
from migrate.sample.isb import Row, Stored
from migrate.sample.misery.case import Case
from migrate.sample.misery.mobile import CASES
from migrate.sample.outputs import EVENT, SIGHTING
from migrate.sample.truth import Outcome, archived, excluded, replayed
from migrate.sample.words import DEVICES, REMARKS, put_local

FLOW = "mobile"
SPECIAL = len(CASES)
ADDRESSES = 499
"""How many addresses events lie at; `isb_address` and `ref/beats.csv` list them all."""


class _Kind(NamedTuple):
    """How an ordinary event stands in the store; `outcomes` by the lane of its priority."""

    outcomes: Mapping[str, Outcome]
    event: str
    state: str = "NEW"
    expiry: str | None = "9999-12-31"
    endpoints: tuple[tuple[str, bool], ...] = ()


def _any_lane(outcome: Outcome) -> dict[str, Outcome]:
    return dict.fromkeys(EVENT, outcome)


_LIVE = {lane: replayed("live", "live event", event) for lane, event in EVENT.items()}
_SEEN = {lane: replayed("live", "sighting", event, SIGHTING) for lane, event in EVENT.items()}
_SEEN_LATE = _any_lane(replayed("live", "sighting that only MetSearch still waits for", SIGHTING))
_ACKED = _any_lane(archived("already delivered", "event that every endpoint has acknowledged"))
_BOTH_ACKED = (("MOBILE", True), ("METSEARCH", True))
_KINDS = (
    *[_Kind(_LIVE, "LOCATION")] * 31,
    *[_Kind(_LIVE, "STATUS", "INFLIGHT", None, (("MOBILE", False),))] * 17,
    *[_Kind(_LIVE, "INCIDENT")] * 7,
    *[_Kind(_SEEN, "SIGHTING")] * 11,
    *[_Kind(_SEEN_LATE, "SIGHTING", "INFLIGHT", None, (("MOBILE", True),))] * 3,
    *[_Kind(_ACKED, "STATUS", "INFLIGHT", None, (("MOBILE", True),))] * 2,
    *[_Kind(_ACKED, "SIGHTING", "INFLIGHT", None, _BOTH_ACKED)] * 1,
    *[_Kind(_any_lane(archived("done", "completed event")), "STATUS", "DONE")] * 19,
    *[_Kind(_any_lane(archived("dead letter", "dead letter")), "LOCATION", "DEAD")] * 3,
    *[
        _Kind(
            _any_lane(excluded("expired", "position that expired in 2018")),
            "LOCATION",
            expiry="2018-12-31 23:59:59",
        )
    ]
    * 7,
)
"""101 of them: a prime, so that a roll modulo it goes with any other choice."""


def messages(seed: int, whole: int) -> Iterator[Stored]:
    """The flow's `whole` legacy messages in the order of their keys."""
    roll = dice(seed, FLOW)
    special = spread(whole, tuple(enumerate(CASES)))
    for place in range(whole):
        if place in special:
            yield _case(place, whole, *special[place])
        else:
            yield _ordinary(place, whole, roll())


def _ordinary(place: int, whole: int, roll: int) -> Stored:
    kind = _KINDS[roll % 101]
    priority = roll % 10
    lane = "express" if priority >= 7 else "standard" if priority >= 3 else "bulk"
    vehicle = f"SYN-{roll % 257:04d}" if roll // 10 % 2 else None
    row = _row(place, whole, vehicle, _json(f"EV-{place:09d}", kind.event, vehicle, roll))
    row = row._replace(
        state=kind.state,
        prio=priority,
        expiry=kind.expiry,
        tries=5 if kind.state == "DEAD" else 0,
    )
    return Stored(row, kind.outcomes[lane], kind.endpoints)


def _case(place: int, whole: int, index: int, case: Case) -> Stored:
    vehicle = str(case.columns.get("vehicle", f"SYN-9{index:03d}"))
    number = str(case.columns.get("corr", f"EV-99{index:07d}"))
    payload = case.edit(_json(number, "LOCATION", vehicle, 9_876_543_210).decode())
    row = _row(place, whole, vehicle, payload)
    return Stored(row._replace(**case.columns), case.outcome)


def _row(place: int, whole: int, vehicle: str | None, payload: bytes | None) -> Row:
    return Row(
        msg_id=f"ISB.MOB.{place:010d}",
        flow="MOB",
        mtype="MOBILE.EVENT",
        state="NEW",
        prio=5,
        corr=None,
        custody_no=None,
        vehicle=vehicle,
        put_local=put_local(place, whole),
        expiry="9999-12-31",
        enc="utf-8",
        tries=0,
        payload=payload,
    )


def _json(number: str, kind: str, vehicle: str | None, roll: int) -> bytes:
    driving = f'"vehicle": "{vehicle}", "speed": {roll % 71}.{roll % 10}0, ' if vehicle else ""
    return (
        f'{{"eventId": "{number}", "kind": "{kind}", '
        f'"device": "{DEVICES[0 if vehicle else 1]}", "callsign": "Z{roll % 97:02d}", '
        f'{driving}"odometer": {roll % 299993}, "sequence": {roll % 9999991}, '
        f'"at": "2018-0{roll % 6 + 4}-{roll % 29 + 1:02d}T{roll % 23:02d}:{roll % 59:02d}:00Z", '
        f'"location": {{"lat": 51.{roll % 999983:06d}, "lon": -0.{roll % 499979:06d}, '
        f'"uprn": "9991{roll % ADDRESSES:08d}"}}, '
        f'"note": "{REMARKS[roll % 11]} {REMARKS[roll // 11 % 11]} {REMARKS[roll // 121 % 11]} '
        f'{REMARKS[roll // 1331 % 11]} {REMARKS[roll // 14641 % 11]}", '
        f'"readings": [{roll % 17}.{roll % 7}, {roll % 23}, -{roll % 13}.50], '
        f'"battery": {roll % 100}, "charging": {"true" if roll % 3 else "false"}, '
        f'"application": {{"name": "field notes", "version": "4.{roll % 19}.{roll % 11}", '
        f'"build": "{roll:020d}"}}}}'
    ).encode()
