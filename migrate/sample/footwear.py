"""Footwear impressions: XML batch files, one holding many impressions, scanned in custody."""

from collections.abc import Iterator

from migrate.sample.dice import dice
from migrate.sample.misery.case import Case
from migrate.sample.misery.footwear import ANOTHER_BATCH, CASES, TORN, TORN_BYTES, WHOLE
from migrate.sample.outputs import FOOTWEAR
from migrate.sample.spool import Batch, Record
from migrate.sample.truth import excluded, replayed
from migrate.sample.words import PATTERNS, REMARKS

FLOW = "footwear"
SPECIAL = len(CASES) + len(ANOTHER_BATCH) + 2

_PER_FILE = 400
_LIVE = replayed("impression", "impression of a batch", FOOTWEAR)
_PAST = excluded("past retention", "impression taken in 2009")


def batches(seed: int, whole: int) -> Iterator[Batch]:
    """Files that together hold the flow's `whole` legacy messages."""
    roll = dice(seed, FLOW)
    for first in range(0, whole - SPECIAL, _PER_FILE):
        last = min(first + _PER_FILE, whole - SPECIAL)
        records = [_ordinary(place, roll()) for place in range(first, last)]
        yield _batch(first // _PER_FILE + 1, records)
    yield _batch(900_001, [_case(index, case) for index, case in enumerate(CASES)])
    yield _batch(900_002, [_case(index, case) for index, case in enumerate(ANOTHER_BATCH)])
    torn = _batch(900_003, [_case(900, WHOLE), Record(TORN_BYTES, TORN)])
    yield torn._replace(between=b"", tail=b"")


def _batch(number: int, records: list[Record]) -> Batch:
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<batch id="FW-{number:06d}" force="01">\n  '
    path = f"footwear/FW-{number:06d}.xml"
    return Batch(path, head.encode(), records, b"\n  ", b"\n</batch>\n")


def _ordinary(place: int, roll: int) -> Record:
    past = roll % 31 == 0
    data = _impression(f"FW/{place:07d}", roll, 2009 if past else 2018).encode()
    return Record(data, _PAST if past else _LIVE)


def _case(index: int, case: Case) -> Record:
    """Numbered within its batch, so that the first of both batches are equal."""
    data = case.edit(_impression(f"FW/99{index:05d}", 9_876_543_210, 2018))
    assert data is not None
    return Record(data, case.outcome)


def _impression(reference: str, roll: int, year: int) -> str:
    return f"""<impression ref="{reference}">
    <custody>01ZA/{roll % 899981:06d}/{year % 100:02d}</custody>
    <pattern>{PATTERNS[roll % 11][0]}</pattern>
    <size>{roll % 7 + 5}.{roll % 2 * 5}</size>
    <taken>{year}-{roll % 11 + 1:02d}-{roll % 27 + 1:02d}</taken>
    <authority>PACE 1984 s.61A</authority>
    <remark>{REMARKS[roll // 11 % 11]} {REMARKS[roll // 121 % 11]}</remark>
    <image height="1{roll % 997:03d}" width="2{roll % 991:03d}" sha256="{roll:064x}"/>
  </impression>"""
