"""What can be wrong with searches: JSON that is none, and pairs that lose a half.

A reply whose request is quarantined is held behind it: the plan orders a
search's messages by its correlation identifier.
"""

from migrate.sample.misery.case import Case, bytes_before, cut_short, emptied, swap
from migrate.sample.truth import archived, quarantined

_HELD = Case(quarantined("held", "reply to a quarantined request"))
_ENDS_PURPOSE = '", "search": '
_DONE = archived("done", "half of a completed search, malformed JSON")

CASES: tuple[tuple[Case, Case], ...] = (
    (Case(quarantined("payload.malformed", "malformed JSON: cut short"), cut_short), _HELD),
    (
        Case(
            quarantined("payload.encoding", "invalid UTF-8 in JSON"),
            bytes_before(_ENDS_PURPOSE, b"\xf0\x28\x8c\xbc"),
        ),
        _HELD,
    ),
    (
        Case(
            quarantined("payload.duplicate_member", "duplicate member of a nested JSON object"),
            swap('"force": "01"', '"force": "01", "force": "02"'),
        ),
        _HELD,
    ),
    (Case(quarantined("payload.empty", "empty payload of a request"), emptied), _HELD),
    (
        Case(
            quarantined("payload.malformed", "control character that JSON forbids"),
            bytes_before(_ENDS_PURPOSE, b"\x02"),
        ),
        _HELD,
    ),
    (
        Case(
            quarantined("field.missing", "missing mandatory field of a request", "request_id"),
            swap('"requestId": "[^"]*", ', ""),
        ),
        Case(
            quarantined("payload.malformed", "reply cut short, its request is bad too"), cut_short
        ),
    ),
    (
        Case(_DONE, cut_short, {"state": "DONE"}),
        Case(_DONE, cut_short, {"state": "DONE"}),
    ),
)
"""Request and reply of each pair."""
