"""What can be wrong with custody records: XML, columns, keys, times, codes, order."""

from html import escape

from migrate.sample.misery.case import Case, bytes_before, cut_short, emptied, nulled, swap
from migrate.sample.outputs import CUSTODY
from migrate.sample.truth import Outcome, archived, quarantined, replayed
from migrate.sample.words import NAUGHTY

DUPLICATE_CODE = "SX99999"
"""An offence that the code table lists twice."""

_FIVE_MEGABYTES = 5 * 1024 * 1024
_ENTITIES = (
    '<!DOCTYPE c:rec [<!ENTITY ha "haha"><!ENTITY haha "&ha;&ha;&ha;&ha;">'
    '<!ENTITY file SYSTEM "file:///etc/hostname">]>'
)
_HELD_NO = "99ZZ/9001/18"
_DUPLICATE_KEY = {"msg_id": "ISB.CUST.9000000001", "put_local": "2018-06-01 12:00:00"}
_TWIN_NO = {"custody_no": "99ZZ/9002/18"}
_LOG = r"<c:log>.*</c:log>"
_DECLARATION = r"<\?xml[^>]*\?>\n"


def _arrives(made: str, **holds: object) -> Outcome:
    return replayed("live", made, CUSTODY).holding(**holds)


def _huge(text: str) -> bytes:
    return swap(_LOG, f"<c:log><c:entry>{'A' * _FIVE_MEGABYTES}</c:entry></c:log>")(text)


def _deep(text: str) -> bytes:
    return swap(_LOG, f"<c:log>{'<c:e>' * 2000}{'</c:e>' * 2000}</c:log>")(text)


def _other_spellings(text: str) -> bytes:
    """The same record as an old writer spells it: CDATA, references, comment, instruction."""
    entry = (
        "<c:log><!-- desk --><?desk 2?><c:entry><![CDATA[a < b]]> &#x263A; &amp;</c:entry></c:log>"
    )
    return swap(_LOG, entry)(text)


_PAYLOADS = (
    Case(
        quarantined("payload.malformed", "malformed XML: end tag missing; a successor waits"),
        swap("</c:suite>", ""),
        {"custody_no": _HELD_NO},
    ),
    Case(
        quarantined("held", "good record behind a quarantined one of its custody number"),
        columns={"custody_no": _HELD_NO},
    ),
    Case(
        archived("done", "completed record behind a quarantined one: nothing to hold back"),
        columns={"custody_no": _HELD_NO, "state": "DONE"},
    ),
    Case(
        quarantined("payload.encoding", "invalid UTF-8"),
        bytes_before("</c:surname>", b"\xc3\x28\xff"),
    ),
    Case(
        quarantined("payload.encoding", "windows-1252 bytes in a record that says UTF-8"),
        bytes_before("</c:surname>", "é".encode("cp1252")),
    ),
    Case(
        quarantined("payload.doctype", "DOCTYPE with entities"),
        swap(r"\?>\n", f"?>\n{_ENTITIES}\n"),
    ),
    Case(quarantined("payload.malformed", "NUL in XML"), bytes_before("</c:surname>", b"\0")),
    Case(
        quarantined("payload.malformed", "control character that XML forbids"),
        bytes_before("</c:surname>", b"\x01"),
    ),
    Case(quarantined("payload.too_deep", "XML nested 2,000 deep"), _deep),
    Case(quarantined("payload.malformed", "writer died in the middle of the record"), cut_short),
    Case(quarantined("payload.empty", "empty payload"), emptied),
    Case(quarantined("payload.empty", "no payload"), nulled),
    Case(archived("done", "completed, empty payload"), emptied, {"state": "DONE"}),
    Case(archived("done", "completed, no payload"), nulled, {"state": "DONE"}),
    Case(archived("done", "completed, malformed XML"), swap("</c:no>", ""), {"state": "DONE"}),
    Case(archived("dead letter", "dead letter, malformed XML"), cut_short, {"state": "DEAD"}),
    Case(_arrives("5 MB payload"), _huge),
    Case(
        _arrives("CDATA, character references, comment, instruction", log=["a < b ☺ &"]),
        _other_spellings,
    ),
    Case(
        _arrives("text that is legal everywhere and often mishandled", log=[NAUGHTY]),
        swap(
            _LOG,
            f"<c:log><c:entry>{escape(NAUGHTY)}</c:entry></c:log>",
        ),
    ),
    Case(
        _arrives("windows-1252 that only the enc column tells"),
        swap(_DECLARATION, "", "cp1252"),
        {"enc": "windows-1252"},
    ),
)

_FIELDS = (
    Case(
        quarantined("field.missing", "missing mandatory field", "no"),
        swap("<c:no>.*?</c:no>", ""),
    ),
    Case(
        quarantined("field.missing", "empty mandatory field", "no"),
        swap("<c:no>.*?</c:no>", "<c:no/>"),
    ),
    Case(
        quarantined("field.ambiguous", "two custody numbers in one record", "no"),
        swap("<c:no>", "<c:no>99ZZ/0000/18</c:no><c:no>"),
    ),
    Case(
        quarantined("mapping.no_row", "unknown offence code"),
        swap('code="[^"]*" main', 'code="SX00000" main'),
    ),
    Case(
        quarantined("mapping.many_rows", "offence code that the code table holds twice"),
        swap('code="[^"]*" main', f'code="{DUPLICATE_CODE}" main'),
    ),
    Case(
        quarantined("mapping.error", "date of birth that does not exist"),
        swap("<c:born>.*?</c:born>", "<c:born>1985-02-29</c:born>"),
    ),
    Case(
        quarantined("schema.invalid", "gender outside the code list"),
        swap("<c:gender>.*?</c:gender>", "<c:gender>Q9</c:gender>"),
    ),
)

_COLUMNS = (
    Case(_arrives("one of two records equal but for the key"), columns=_TWIN_NO),
    Case(_arrives("the other of two records equal but for the key"), columns=_TWIN_NO),
    *(
        Case(
            quarantined("key.duplicate", made).with_prefix(),
            columns={**_DUPLICATE_KEY, "custody_no": number},
        )
        for made, number in (
            ("row that shares its key with two others", "99ZZ/9003/18"),
            ("equal row that shares its key with two others", "99ZZ/9003/18"),
            ("different row that shares its key with two others", "99ZZ/9004/18"),
        )
    ),
    Case(quarantined("key.null", "row without a key").with_prefix(), columns={"msg_id": None}),
    Case(
        quarantined("rule", "priority out of range", "priority out of range"),
        columns={"prio": 42},
    ),
    Case(quarantined("column.invalid", "priority that is a word"), columns={"prio": "HIGH"}),
    Case(
        quarantined("time.invalid", "put on a date that does not exist"),
        columns={"put_local": "2018-02-30 10:00:00"},
    ),
    Case(
        quarantined("time.nonexistent", "put in the hour the clocks skipped"),
        columns={"put_local": "2018-03-25 01:30:00"},
    ),
    Case(
        quarantined("time.ambiguous", "put in the hour that came twice"),
        columns={"put_local": "2018-10-28 01:30:00"},
    ),
    Case(quarantined("fate.undecided", "status no rule knows"), columns={"state": "PARKED"}),
)

CASES = (*_PAYLOADS, *_FIELDS, *_COLUMNS)
