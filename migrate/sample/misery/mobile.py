"""What can be wrong with events: JSON, numbers, characters, depth, times."""

from migrate.sample.misery.case import Case, bytes_before, cut_short, emptied, swap
from migrate.sample.outputs import EVENT
from migrate.sample.truth import Outcome, archived, quarantined, replayed
from migrate.sample.words import NAUGHTY

_NOTE = '"note": "[^"]*"'
_NOTE_ENDS = '", "readings"'
_VEHICLE = {"vehicle": "SYN-8001"}
_TWIN = {"vehicle": "SYN-8002", "corr": "EV-980000001"}
_JSON_NAUGHTY = NAUGHTY.replace("\t", "\\t")


def _arrives(made: str, **holds: object) -> Outcome:
    return replayed("live", made, EVENT["standard"]).holding(**holds)


def _deep(text: str) -> bytes:
    return swap(_NOTE, f'"note": {"[" * 2000}{"]" * 2000}')(text)


_PAYLOADS = (
    Case(quarantined("payload.malformed", "malformed JSON"), cut_short, _VEHICLE),
    Case(_arrives("good event behind a quarantined one: positions do not wait"), columns=_VEHICLE),
    Case(
        quarantined("payload.encoding", "invalid UTF-8 in JSON"),
        bytes_before(_NOTE_ENDS, b"\xe2\x28"),
    ),
    Case(
        quarantined("payload.malformed", "NUL byte in a JSON string"),
        bytes_before(_NOTE_ENDS, b"\0"),
    ),
    Case(
        _arrives("NUL as a JSON escape", note="before\0after"),
        swap(_NOTE, r'"note": "before\u0000after"'),
    ),
    Case(
        _arrives("control characters as JSON escapes", note="bell\a unit\x1f"),
        swap(_NOTE, r'"note": "bell\u0007 unit\u001f"'),
    ),
    Case(
        _arrives("text that is legal everywhere and often mishandled", note=NAUGHTY),
        swap(_NOTE, f'"note": "{_JSON_NAUGHTY}"'),
    ),
    Case(quarantined("payload.too_deep", "JSON nested 2,000 deep"), _deep),
    Case(
        quarantined("payload.duplicate_member", "duplicate member of a JSON object"),
        swap('"kind": ', '"kind": "STATUS", "kind": '),
    ),
    Case(quarantined("payload.empty", "empty payload of an event"), emptied),
    Case(archived("dead letter", "dead letter, malformed JSON"), cut_short, {"state": "DEAD"}),
)

_FIELDS = (
    Case(
        _arrives("number of twenty digits", odometer="12345678901234567890"),
        swap(r'"odometer": \d+', '"odometer": 12345678901234567890'),
    ),
    Case(_arrives("decimal 1.10", speed="1.10"), swap(r'"speed": [\d.]+', '"speed": 1.10')),
    Case(
        quarantined("mapping.value", "sequence number beyond what a JSON reader holds"),
        swap(r'"sequence": \d+', '"sequence": 9007199254740993'),
    ),
    Case(
        quarantined("field.missing", "missing mandatory field of an event", "event_id"),
        swap('"eventId": "[^"]*", ', ""),
    ),
    Case(
        quarantined("field.missing", "mandatory field of an event is null", "event_id"),
        swap('"eventId": "[^"]*"', '"eventId": null'),
    ),
    Case(
        quarantined("schema.invalid", "unknown kind of event"),
        swap('"kind": "[^"]*"', '"kind": "TELEPORT"'),
    ),
)

_COLUMNS = (
    Case(_arrives("one of two events equal but for the key"), columns=_TWIN),
    Case(_arrives("the other of two events equal but for the key"), columns=_TWIN),
    Case(
        quarantined("column.invalid", "priority beyond any integer"),
        columns={"prio": "99999999999999999999"},
    ),
    Case(
        _arrives(
            "put in the hour that came twice; the plan takes the first",
            recordedAt="2018-10-28T00:30:00Z",
        ),
        columns={"put_local": "2018-10-28 01:30:00"},
    ),
    Case(
        _arrives(
            "put in the hour the clocks skipped; the plan takes the later reading",
            recordedAt="2018-03-25T01:30:00Z",
        ),
        columns={"put_local": "2018-03-25 01:30:00"},
    ),
    Case(
        quarantined("time.invalid", "expires on a date that does not exist"),
        columns={"expiry": "2031-06-31 00:00:00"},
    ),
)

CASES = (*_PAYLOADS, *_FIELDS, *_COLUMNS)
