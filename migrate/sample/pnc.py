"""Searches of the police national computer: JSON requests and replies, paired by correlation.

A replayed search would be a new search under an officer's name. Only a pair
that somebody still waits for goes on; the rest is archived.
"""

from collections.abc import Iterator
from typing import NamedTuple

from migrate.sample.dice import dice, spread
from migrate.sample.isb import Row, Stored
from migrate.sample.misery.case import Case
from migrate.sample.misery.pnc import CASES
from migrate.sample.outputs import REPLY, REQUEST
from migrate.sample.truth import Outcome, archived, replayed
from migrate.sample.words import FORENAMES, REMARKS, SURNAMES, WARNINGS, put_local

FLOW = "pnc"
SPECIAL = 2 * len(CASES)


class _Kind(NamedTuple):
    """How an ordinary pair stands in the store."""

    request: Outcome
    reply: Outcome
    states: tuple[str, str]
    expiry: str = "2099-12-31 23:59:59"


_LIVE = _Kind(
    replayed("awaited", "request of an awaited pair", REQUEST),
    replayed("awaited", "reply of an awaited pair", REPLY),
    ("INFLIGHT", "NEW"),
)
_DONE = archived("done", "half of a completed search")
_STALE = archived("nobody waits", "half of a search whose time is over")
_DEAD = archived("dead letter", "half of a search that died")
_UNANSWERED = archived("unanswered", "request that was never answered")
_KINDS = (
    *[_LIVE] * 62,
    *[_Kind(_DONE, _DONE, ("DONE", "DONE"))] * 24,
    *[_Kind(_STALE, _STALE, ("INFLIGHT", "NEW"), "2017-07-31 12:00:00")] * 8,
    *[_Kind(_DEAD, _DEAD, ("DEAD", "DEAD"))] * 2,
    *[_Kind(_UNANSWERED, _UNANSWERED, ("NEW", "NEW"))] * 5,
)
"""101 of them: a prime, so that a roll modulo it goes with any other choice."""


def messages(seed: int, whole: int) -> Iterator[Stored]:
    """The flow's `whole` legacy messages in the order of their keys; an odd one is unanswered."""
    roll = dice(seed, FLOW)
    pairs = whole // 2
    special = spread(pairs, tuple(enumerate(CASES)))
    for place in range(pairs):
        if place in special:
            yield from _case(place, whole, *special[place])
        else:
            yield from _ordinary(place, whole, roll())
    if whole % 2:
        yield _request(pairs, whole, roll(), _KINDS[-1])


def _ordinary(place: int, whole: int, roll: int) -> Iterator[Stored]:
    kind = _KINDS[roll % 101]
    yield _request(place, whole, roll, kind)
    if kind.request is _UNANSWERED:
        yield _second_request(place, whole, roll, kind)
    else:
        yield _reply(place, whole, roll, kind)


def _case(place: int, whole: int, index: int, pair: tuple[Case, Case]) -> Iterator[Stored]:
    for stored, case in zip(_pair(place, whole, index), pair, strict=True):
        payload = case.edit((stored.row.payload or b"").decode())
        row = stored.row._replace(payload=payload)._replace(**case.columns)
        yield Stored(row, case.outcome)


def _pair(place: int, whole: int, index: int) -> tuple[Stored, Stored]:
    roll = 2 * 9_876_543_210 + index
    return _request(place, whole, roll, _LIVE), _reply(place, whole, roll, _LIVE)


def _request(place: int, whole: int, roll: int, kind: _Kind) -> Stored:
    number = f"SR-{place:08d}"
    row = _row(2 * place, whole, "PNC.REQUEST", number, _request_json(number, roll))
    return Stored(row._replace(state=kind.states[0], expiry=kind.expiry), kind.request)


def _second_request(place: int, whole: int, roll: int, kind: _Kind) -> Stored:
    number = f"SR-{place:08d}-B"
    row = _row(2 * place + 1, whole, "PNC.REQUEST", number, _request_json(number, roll // 7))
    return Stored(row._replace(state=kind.states[0], expiry=kind.expiry), kind.request)


def _reply(place: int, whole: int, roll: int, kind: _Kind) -> Stored:
    number = f"SR-{place:08d}"
    row = _row(2 * place + 1, whole, "PNC.REPLY", number, _reply_json(number, roll))
    return Stored(row._replace(state=kind.states[1], expiry=kind.expiry), kind.reply)


def _row(place: int, whole: int, mtype: str, number: str, payload: str) -> Row:
    return Row(
        msg_id=f"ISB.PNC.{place:010d}",
        flow="PNC",
        mtype=mtype,
        state=None,
        prio=8,
        corr=number,
        custody_no=None,
        vehicle=None,
        put_local=put_local(place, whole),
        expiry=None,
        enc="utf-8",
        tries=1,
        payload=payload.encode(),
    )


def _request_json(number: str, roll: int) -> str:
    person = (
        f'"surname": "{SURNAMES[roll % 19]}", "forename": "{FORENAMES[roll % 13]}", '
        f'"born": "19{roll % 53 + 40}-{roll % 11 + 1:02d}-{roll % 27 + 1:02d}"'
    )
    vehicle = f'"vrm": "SYN {roll % 9973:04d}"'
    return (
        f'{{"requestId": "{number}", "kind": "{"VEHICLE" if roll % 2 else "PERSON"}", '
        f'"officer": {{"warrant": "W{roll % 99991:05d}", "terminal": "T-{roll % 997:03d}", '
        f'"force": "01"}}, "purpose": "{REMARKS[roll % 11]}", '
        f'"search": {{{vehicle if roll % 2 else person}}}, '
        f'"remarks": ["{REMARKS[roll // 11 % 11]}", "{REMARKS[roll // 121 % 11]}", '
        f'"{REMARKS[roll // 1331 % 11]}", "{REMARKS[roll // 14641 % 11]}", '
        f'"{REMARKS[roll // 161051 % 11]}"], "limit": {roll % 3 * 10 + 10}}}'
    )


def _reply_json(number: str, roll: int) -> str:
    traces = roll % 5
    warning = f'"{WARNINGS[traces]}"' if traces else ""
    return (
        f'{{"requestId": "{number}", "result": "{"TRACE" if traces else "NO TRACE"}", '
        f'"traces": {traces}, "warnings": [{warning}], '
        f'"summary": {{"text": "{REMARKS[roll % 11]} {REMARKS[roll // 11 % 11]}", '
        f'"source": "PNC", "reference": "{roll % 89:02d}/{roll % 999983:06d}Z"}}, '
        f'"notes": ["{REMARKS[roll // 121 % 11]}", "{REMARKS[roll // 1331 % 11]}", '
        f'"{REMARKS[roll // 14641 % 11]}", "{REMARKS[roll // 161051 % 11]}"], '
        f'"elapsed": {roll % 9}.{roll % 97:02d}0}}'
    )
