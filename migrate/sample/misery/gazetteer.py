"""What can be wrong with gazetteer updates, and what is right although it looks wrong."""

from migrate.sample.misery.case import Case, swap
from migrate.sample.outputs import ADDRESS
from migrate.sample.truth import Outcome, quarantined, replayed

_HELD_UPRN = {"UPRN": "999800000001"}
_TWIN_UPRN = {"UPRN": "999800000002"}


def _arrives(made: str, **holds: object) -> Outcome:
    return replayed("change", made, *ADDRESS).holding(**holds)


CASES = (
    Case(
        quarantined("mapping.error", "updated on a date that does not exist"),
        swap("2007-10-24,2018-[^,]*", "2007-10-24,2018-02-30"),
        _HELD_UPRN,
    ),
    Case(
        quarantined("held", "good update behind a quarantined one of its UPRN"), columns=_HELD_UPRN
    ),
    Case(_arrives("one of two equal updates, without a key"), columns=_TWIN_UPRN),
    Case(_arrives("the other of two equal updates, without a key"), columns=_TWIN_UPRN),
    Case(
        _arrives(
            "line break and doubled quotes inside quotes",
            **{"address.organisation": 'The "Old"\r\nMill'},
        ),
        swap(r',"",(\d+),"",', ',"The ""Old""\r\nMill",12,"",'),
    ),
    Case(
        quarantined("schema.invalid", "UPRN of thirteen digits"),
        swap(r"^\d+", "9999000000000"),
    ),
    Case(quarantined("fate.undecided", "change type left empty"), swap('"U"', '""')),
    Case(quarantined("field.missing", "missing mandatory field", "uprn"), swap(r"^\d+", "")),
    Case(
        _arrives("last record of a file without its line ending", **{"coordinates.x": "530000.10"}),
        lambda text: swap(r"5\d{5}\.\d\d", "530000.10")(text).rstrip(b"\r\n"),
    ),
)
