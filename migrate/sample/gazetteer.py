"""Gazetteer updates: CSV batch files like AddressBase change-only updates.

Several updates of one UPRN follow each other in order. Coordinates are written
with their trailing zeros; the UPRNs lie in a range that is not in use.
"""

from collections.abc import Iterator

from migrate.sample.dice import dice
from migrate.sample.misery.case import Case
from migrate.sample.misery.gazetteer import CASES
from migrate.sample.outputs import ADDRESS
from migrate.sample.spool import Batch, Record
from migrate.sample.truth import archived, excluded, replayed
from migrate.sample.words import AREAS, STREETS

FLOW = "gazetteer"
SPECIAL = len(CASES)
HEADER = (
    "UPRN,UDPRN,CHANGE_TYPE,LOGICAL_STATUS,BLPU_STATE,CLASS,X_COORDINATE,Y_COORDINATE,"
    "LATITUDE,LONGITUDE,RPC,LOCAL_CUSTODIAN_CODE,START_DATE,LAST_UPDATE_DATE,USRN,"
    "ORGANISATION,PAO_START_NUMBER,PAO_TEXT,STREET_DESCRIPTION,LOCALITY,TOWN_NAME,POSTCODE"
)

_PER_FILE = 2000
_LIVE = replayed("change", "change of a live address", *ADDRESS)
_STATUS = {
    "1": _LIVE,
    "8": archived("historic", "historic address"),
    "6": excluded("provisional", "provisional address"),
}


def batches(seed: int, whole: int) -> Iterator[Batch]:
    """Files that together hold the flow's `whole` legacy messages."""
    roll = dice(seed, FLOW)
    for first in range(0, whole - SPECIAL, _PER_FILE):
        last = min(first + _PER_FILE, whole - SPECIAL)
        records = [_ordinary(place, roll()) for place in range(first, last)]
        yield _batch(first // _PER_FILE + 1, records)
    yield _batch(90_001, [_case(index, case) for index, case in enumerate(CASES)])


def _batch(number: int, records: list[Record]) -> Batch:
    return Batch(f"gazetteer/GAZ-{number:05d}.csv", f"{HEADER}\r\n".encode(), records)


def _ordinary(place: int, roll: int) -> Record:
    status = ("8", "6", "1")[min(roll % 13, 2)]
    change = "I" if place % 3 == 0 else "D" if roll % 19 == 0 else "U"
    uprn = f"9990{place // 3:08d}"
    return Record(_address(uprn, roll, change, status).encode(), _STATUS[status])


def _case(index: int, case: Case) -> Record:
    uprn = str(case.columns.get("UPRN", f"9999{index:08d}"))
    data = case.edit(_address(uprn, 9_876_543_210, "U", "1"))
    assert data is not None
    return Record(data, case.outcome)


def _address(uprn: str, roll: int, change: str, status: str) -> str:
    area, district = AREAS[roll % 7]
    return (
        f'{uprn},{roll % 9999991},"{change}",{status},2,"{("RD", "CR", "RD06")[roll % 3]}",'
        f"{500000 + roll % 59999}.{roll % 10}0,{160000 + roll % 39989}.00,"
        f"51.{roll % 999983:06d}0,-0.{roll % 499979:06d}0,1,{5000 + roll % 33},"
        f'2007-10-24,2018-0{roll % 8 + 1}-{roll % 27 + 1:02d},{20000000 + roll % 99991},"",'
        f'{roll % 199 + 1},"","{STREETS[roll % 11].upper()}","{area.upper()}","ZEDTOWN",'
        f'"{district} {roll % 8 + 1}{"ABDEF"[roll % 5]}Z"\r\n'
    )
