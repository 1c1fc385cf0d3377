"""Everything in the legacy database that is no message, and the reference files of the plan."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from migrate.sample.isb import IsbDatabase
from migrate.sample.misery.custody import DUPLICATE_CODE as DUPLICATE_OFFENCE
from migrate.sample.misery.footwear import DUPLICATE_CODE as DUPLICATE_PATTERN
from migrate.sample.mobile import ADDRESSES
from migrate.sample.spool import write_file
from migrate.sample.words import AREAS, OFFENCES, PATTERNS, STREETS, SUITES

_ENDPOINTS = (
    ("CUSTODY", "NSPIS custody", "MQ", "queue NSPIS.CUSTODY.IN"),
    ("NFD", "National Footwear Database", "SFTP", "drop nfd-in"),
    ("GAZ", "Gazetteer", "SFTP", "drop gaz-in"),
    ("METSEARCH", "MetSearch", "HTTP", "service metsearch"),
    ("MOBILE", "In-vehicle and hand-held applications", "HTTP", "service mobile"),
)
_ROUTES = (
    ("CUST", "NSPIS.CUSTODY", "CUSTODY", 0),
    ("CUST", "NSPIS.CUSTODY", "NFD", 0),
    ("PNC", "PNC.REQUEST", "METSEARCH", 0),
    ("PNC", "PNC.REPLY", "METSEARCH", 0),
    ("MOB", "MOBILE.EVENT", "MOBILE", 0),
    ("MOB", "MOBILE.EVENT", "METSEARCH", 0),
    ("FOOT", "NFD.BATCH", "NFD", 0),
    ("GAZ", "GAZ.CHANGE", "GAZ", 0),
)
_AUDIT = ("started", "queue drained", "operator logged in", "backup taken", "stopped")
_GENDERS = (("0", "not known"), ("1", "male"), ("2", "female"), ("Q9", "no such code any more"))


def fill_tables(database: IsbDatabase) -> None:
    """Insert endpoints, routes, codes, addresses and audit lines."""
    database.insert("isb_endpoint", _ENDPOINTS)
    database.insert("isb_route", _ROUTES)
    database.insert("isb_code", _codes())
    database.insert("isb_address", _addresses())
    database.insert(
        "isb_audit",
        ((n, f"2018-09-{n % 30 + 1:02d} 06:00:00", "isbadm", _AUDIT[n % 5]) for n in range(97)),
    )


def write_references(folder: Path) -> None:
    """Write the reference files that the plan names: custody suites and beats."""
    suites = "".join(f"{code},{name},{area}\n" for code, name, area in SUITES)
    write_file(folder / "suites.csv", f"code,name,area\n{suites}".encode())
    beats = "".join(f"{uprn},Ward {n % 17 + 1},ZX{n % 41:02d}\n" for n, uprn in _uprns())
    write_file(folder / "beats.csv", f"uprn,ward,beat\n{beats}".encode())


def _codes() -> Iterator[tuple[str | None, ...]]:
    for code, label, retention in OFFENCES:
        yield "OFFENCE", code, label, retention
    for code, label in PATTERNS:
        yield "PATTERN", code, label, None
    for code, label in _GENDERS:
        yield "GENDER", code, label, None
    yield from _duplicates()


def _duplicates() -> Iterable[tuple[str | None, ...]]:
    """Codes that somebody entered a second time instead of changing them."""
    return (
        ("OFFENCE", DUPLICATE_OFFENCE, "Public order offence", "review after 6 years"),
        (
            "OFFENCE",
            DUPLICATE_OFFENCE,
            "Public order offence (until 1998)",
            "review after 10 years",
        ),
        ("PATTERN", DUPLICATE_PATTERN, "Waves and bars", None),
        ("PATTERN", DUPLICATE_PATTERN, "Bars and waves", None),
    )


def _addresses() -> Iterator[tuple[str | None, ...]]:
    for n, uprn in _uprns():
        area, district = AREAS[n % 7]
        yield uprn, str(n % 199 + 1), STREETS[n % 11], area, f"{district} {n % 8 + 1}AZ"


def _uprns() -> Iterator[tuple[int, str]]:
    return ((n, f"9991{n:08d}") for n in range(ADDRESSES))
