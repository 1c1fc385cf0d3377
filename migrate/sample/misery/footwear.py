"""What can be wrong with footwear impressions: equal records, codes, dates, a torn file."""

from migrate.sample.misery.case import Case, swap
from migrate.sample.outputs import FOOTWEAR
from migrate.sample.truth import quarantined, replayed

DUPLICATE_CODE = "SYN-P999"
"""A pattern that the code table lists twice."""

_TWIN = swap('ref="[^"]*"', 'ref="FW/9900000"')


def _arrives(made: str) -> Case:
    return Case(replayed("impression", made, FOOTWEAR), _TWIN)


CASES = (
    _arrives("one of two equal impressions of one file, without a key"),
    _arrives("the other of two equal impressions of one file, without a key"),
    Case(
        quarantined("field.missing", "missing mandatory field", "pattern"),
        swap("<pattern>.*?</pattern>", ""),
    ),
    Case(
        quarantined("mapping.no_row", "unknown pattern code"),
        swap("<pattern>.*?</pattern>", "<pattern>SYN-P000</pattern>"),
    ),
    Case(
        quarantined("mapping.many_rows", "pattern code that the code table holds twice"),
        swap("<pattern>.*?</pattern>", f"<pattern>{DUPLICATE_CODE}</pattern>"),
    ),
    Case(
        quarantined("mapping.error", "taken on a date that does not exist"),
        swap("<taken>.*?</taken>", "<taken>2018-02-30</taken>"),
    ),
)
ANOTHER_BATCH = (
    _arrives("impression equal to one of another file"),
    Case(replayed("impression", "impression of a second rescan", FOOTWEAR)),
)

WHOLE = Case(replayed("impression", "last whole impression of a torn batch file", FOOTWEAR))
TORN = quarantined("record.unreadable", "rest of a batch file whose transfer broke off")
TORN_BYTES = b"""
  <impression ref="FW/9900900">
    <custody>01ZA/000001/18</custody>
    <patt"""
