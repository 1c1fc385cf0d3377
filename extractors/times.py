"""Columns of written times to instants: core.clock's answers, a whole column at once.

`core.clock.instant` decides; this module only recognises the plain shapes
(`2018-03-31 23:00:00`, with a fraction or `T`, without an offset) on plain
days, where every hour of the wall clock exists once and has one offset, and
computes those in Arrow. Everything else is asked of the clock row by row.
"""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from migrate.core.clock import UnreadableTime, instant
from migrate.core.flow import TimeSpec
from migrate.core.schema import INSTANT

_PLAIN = (
    r"^(19[7-9][0-9]|2[0-9]{3})-[0-9]{2}-[0-9]{2}"
    r"[ T]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?$"
)
_DAY = 10
_SECONDS = 19  # characters of a plain text without a fraction
_FIRST = date(1970, 1, 1)
_DAY_MICROS = 24 * 3600 * 1_000_000
_YEAR_3000 = (date(3000, 1, 1) - _FIRST).days * _DAY_MICROS
_OFFSET = pa.duration("us")
_NO_TEXT = pa.scalar(None, pa.string())


class Times:
    """Reads the columns of one TimeSpec; remembers which days are plain."""

    def __init__(self, spec: TimeSpec) -> None:
        self._spec = spec
        self._zone = ZoneInfo(spec.timezone) if spec.kind == "local" else None
        self._offsets: dict[str, timedelta | None] = {}

    def instants(self, texts: pa.Array) -> tuple[pa.Array, pa.Array | None]:
        """`texts` string → (timestamp[us, UTC], reason string per row or None if all is well)."""
        if texts.null_count == len(texts):
            return pa.nulls(len(texts), INSTANT), None
        alike = self._all_plain(texts)
        if alike is not None:
            return alike, None
        offsets = self._offsets_of(texts)
        quick = _shifted(texts, offsets)
        rest = pc.and_(pc.is_valid(texts), pc.is_null(offsets))
        if not pc.any(rest).as_py():
            return quick, None
        moments, reasons = self._asked(pc.if_else(rest, texts, _NO_TEXT))
        return pc.coalesce(quick, moments), reasons

    def _all_plain(self, texts: pa.Array) -> pa.Array | None:
        """The instants, where every text is plain and without a fraction and every day is plain;
        else None. What Arrow reads in so many characters is a date and a time of day."""
        if self._spec.kind not in ("utc", "local"):
            return None
        length = pc.min_max(pc.binary_length(texts)).as_py()
        if (length["min"], length["max"]) != (_SECONDS, _SECONDS):
            return None
        try:
            wall = texts.cast(pa.timestamp("us"))
        except pa.ArrowInvalid:
            return None
        micros = wall.cast(pa.int64())
        ends = pc.min_max(micros).as_py()
        if ends["min"] < 0 or ends["max"] >= _YEAR_3000:
            return None
        days = pc.divide(micros, _DAY_MICROS).dictionary_encode()
        offsets = [
            self._offset(str(_FIRST + timedelta(day))) for day in days.dictionary.to_pylist()
        ]
        if None in offsets:
            return None
        return pc.subtract(wall, pa.array(offsets, _OFFSET).take(days.indices)).cast(INSTANT)

    def _offsets_of(self, texts: pa.Array) -> pa.Array:
        """duration[us] from UTC where text and day are plain; null: ask the clock."""
        if self._spec.kind not in ("utc", "local"):
            return pa.nulls(len(texts), _OFFSET)
        plain = pc.if_else(pc.match_substring_regex(texts, _PLAIN), texts, _NO_TEXT)
        days = pc.utf8_slice_codeunits(plain, 0, _DAY).dictionary_encode()
        offsets = [self._offset(day) for day in days.dictionary.to_pylist()]
        return pa.array(offsets, _OFFSET).take(days.indices)

    def _offset(self, day: str) -> timedelta | None:
        """The one offset from UTC of a whole day, or None if the clock must be asked."""
        if day not in self._offsets:
            self._offsets[day] = self._find_offset(day)
        return self._offsets[day]

    def _find_offset(self, day: str) -> timedelta | None:
        if day in self._never_days():
            return None
        try:
            start = date.fromisoformat(day)
        except ValueError:
            return None
        if self._zone is None:
            return timedelta(0)
        midnight = datetime(start.year, start.month, start.day, tzinfo=self._zone)
        seen = {
            (midnight + timedelta(minutes=minutes)).replace(fold=fold).utcoffset()
            for minutes in range(0, 24 * 60 + 1, 30)
            for fold in (0, 1)
        }
        return seen.pop() if len(seen) == 1 else None

    def _never_days(self) -> set[str]:
        return {text[:_DAY] for text in self._spec.never}

    def _asked(self, texts: pa.Array) -> tuple[pa.Array, pa.Array | None]:
        """The clock's own answers, once per distinct text."""
        distinct = texts.dictionary_encode()
        answers = [self._ask(text) for text in distinct.dictionary.to_pylist()]
        moments = pa.array([moment for moment, _ in answers], INSTANT)
        reasons = pa.array([reason for _, reason in answers], pa.string())
        found = reasons.take(distinct.indices) if reasons.null_count < len(reasons) else None
        return moments.take(distinct.indices), found

    def _ask(self, text: str) -> tuple[datetime | None, str | None]:
        try:
            return instant(text, self._spec), None
        except UnreadableTime as problem:
            return None, problem.reason.value


def _shifted(texts: pa.Array, offsets: pa.Array) -> pa.Array:
    """Wall clock minus offset, where there is an offset; else null."""
    wall = pc.if_else(pc.is_valid(offsets), texts, _NO_TEXT).cast(pa.timestamp("us"))
    return pc.subtract(wall, offsets).cast(INSTANT)
