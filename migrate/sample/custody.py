"""Custody: namespaced XML of NSPIS custody, some of it in windows-1252.

A record that notes footwear gives birth to a second message, the impression
for the footwear database. Every custody number comes in three versions, in
order, so that order can be broken and the breach found.
"""

from collections.abc import Iterator
from typing import NamedTuple

from migrate.sample.dice import dice, spread
from migrate.sample.isb import Row, Stored
from migrate.sample.misery.case import Case
from migrate.sample.misery.custody import CASES
from migrate.sample.outputs import CUSTODY, FOOTWEAR_OF_CUSTODY
from migrate.sample.truth import Outcome, archived, excluded, replayed
from migrate.sample.words import FORENAMES, OFFENCES, PATTERNS, REMARKS, SUITES, SURNAMES, put_local

FLOW = "custody"
SPECIAL = len(CASES)


class _Kind(NamedTuple):
    """How an ordinary record stands in the store."""

    outcome: Outcome
    state: str
    footwear: bool = False
    expiry: str | None = "2099-12-31 23:59:59"
    year: int = 2018
    endpoints: tuple[tuple[str, bool], ...] = ()


_BOTH = replayed("live", "live record that notes footwear", CUSTODY, FOOTWEAR_OF_CUSTODY)
_KINDS = (
    *[_Kind(replayed("live", "live record", CUSTODY), "NEW")] * 30,
    *[_Kind(_BOTH, "NEW", footwear=True, expiry="9999-12-31")] * 13,
    *[
        _Kind(
            replayed("live", "live record in flight", CUSTODY),
            "INFLIGHT",
            expiry=None,
            endpoints=(("CUSTODY", False),),
        )
    ]
    * 14,
    *[
        _Kind(
            replayed("live", "footwear noted, custody has it already", FOOTWEAR_OF_CUSTODY),
            "INFLIGHT",
            footwear=True,
            endpoints=(("CUSTODY", True), ("NFD", False)),
        )
    ]
    * 2,
    *[
        _Kind(
            replayed("live", "footwear noted, footwear database has it already", CUSTODY),
            "INFLIGHT",
            footwear=True,
            endpoints=(("NFD", True),),
        )
    ]
    * 2,
    *[
        _Kind(
            archived("already delivered", "live record that every endpoint has acknowledged"),
            "INFLIGHT",
            footwear=True,
            endpoints=(("CUSTODY", True), ("NFD", True)),
        )
    ]
    * 3,
    *[_Kind(archived("done", "completed record"), "DONE", footwear=True)] * 16,
    *[_Kind(archived("done", "completed record of 2012"), "DONE", year=2012)] * 10,
    *[_Kind(archived("dead letter", "dead letter"), "DEAD")] * 3,
    *[_Kind(excluded("past retention", "completed in 2008"), "DONE", year=2008)] * 4,
    *[_Kind(excluded("expired", "expired in 2016"), "NEW", expiry="2016-06-30 12:00:00")] * 4,
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
    record = place // 3
    number = f"01{SUITES[record % 5][0]}/{record:06d}/{kind.year % 100:02d}"
    latin = roll % 17 == 0
    enc = "windows-1252" if latin else "utf-8"
    text = _xml(number, place % 3 + 1, roll, enc, kind.footwear)
    payload = text.encode("cp1252" if latin else "utf-8")
    row = _row(place, whole, number, payload)._replace(
        state=kind.state,
        prio=roll % 3 + 4,
        put_local=put_local(place, whole, kind.year),
        expiry=kind.expiry,
        enc=enc,
        tries=5 if kind.state == "DEAD" else roll % 2,
    )
    return Stored(row, kind.outcome, kind.endpoints)


def _case(place: int, whole: int, index: int, case: Case) -> Stored:
    number = str(case.columns.get("custody_no", f"99ZZ/{index:04d}/18"))
    payload = case.edit(_xml(number, 1, 9_876_543_210, "utf-8", footwear=False))
    row = _row(place, whole, number, payload)
    return Stored(row._replace(**case.columns), case.outcome)


def _row(place: int, whole: int, number: str, payload: bytes | None) -> Row:
    return Row(
        msg_id=f"ISB.CUST.{place:010d}",
        flow="CUST",
        mtype="NSPIS.CUSTODY",
        state="NEW",
        prio=4,
        corr=None,
        custody_no=number,
        vehicle=None,
        put_local=put_local(place, whole),
        expiry="2099-12-31 23:59:59",
        enc="utf-8",
        tries=0,
        payload=payload,
    )


def _xml(number: str, version: int, roll: int, enc: str, footwear: bool) -> str:
    offence, other = OFFENCES[roll % 7][0], OFFENCES[roll // 7 % 7][0]
    return f"""<?xml version="1.0" encoding="{enc}"?>
<c:rec xmlns:c="urn:nspis:custody" ver="{version}">
  <c:no>{number}</c:no><c:suite>{SUITES[roll % 5][0]}</c:suite>
  <c:arrived>2018-05-{roll % 29 + 1:02d}T{roll % 23:02d}:{roll % 59:02d}:00</c:arrived>
  <c:detainee>
    <c:pncid>{roll % 89:02d}/{roll % 999983:06d}Z</c:pncid>
    <c:surname>{SURNAMES[roll % 19]}</c:surname><c:forename>{FORENAMES[roll % 13]}</c:forename>
    <c:born>19{roll % 53 + 40}-{roll % 11 + 1:02d}-{roll % 27 + 1:02d}</c:born>
    <c:gender>{roll % 3}</c:gender>
  </c:detainee>
  <c:offence code="{offence}" main="yes"/><c:offence code="{other}"/>
  <c:log>
    <c:entry>{REMARKS[roll % 11]}</c:entry>
    <c:entry>{REMARKS[roll // 11 % 11]}</c:entry>
    <c:entry>{REMARKS[roll // 121 % 11]}</c:entry>
    <c:entry>{REMARKS[roll // 1331 % 11]}</c:entry>
    <c:entry>{REMARKS[roll // 14641 % 11]}</c:entry>
  </c:log>{_footwear(roll) if footwear else ""}
</c:rec>
"""


def _footwear(roll: int) -> str:
    return f"""
  <c:footwear>
    <c:pattern>{PATTERNS[roll % 11][0]}</c:pattern><c:size>{roll % 7 + 5}.{roll % 2 * 5}</c:size>
  </c:footwear>"""
