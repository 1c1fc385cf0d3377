"""Expiry on the new bus, off-ramp by off-ramp: the instant of old, counted anew, or none.

One message may go to off-ramps of different rules, so its envelope holds the instant of old and
each delivery's headers what its off-ramp's rule makes of it. Loading and the witness ask here
alike; all that it rests on is the envelope itself and the run's sealed `as_of`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from migrate.core.clock import rfc3339_texts
from migrate.core.flow import OffRampSpec
from migrate.core.schema import INSTANT
from migrate.core.window import EVENT_EXPIRY, Window

EXPIRY_ATTRIBUTE = "ce_expirytime"
TIME_ATTRIBUTE = "ce_time"

_ABSOLUTE, _RESTART, _NONE = range(3)
_CODES = {"absolute": _ABSOLUTE, "restart": _RESTART, "none": _NONE}
_LAST = np.datetime64("9999-12-31T23:59:59", "us")
"""The last instant that RFC 3339 can write."""


@dataclass(frozen=True, slots=True)
class Expiries:
    """Which off-ramps do not keep the expiry of old, and when a restarted time to live begins."""

    as_of: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    codes: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, offramps: Mapping[str, OffRampSpec], as_of: datetime) -> "Expiries":
        """The rules of these off-ramps in a run of that (timezone-aware) `as_of`."""
        codes = {name: _CODES[ramp.expiry] for name, ramp in offramps.items()}
        return cls(as_of, {name: code for name, code in codes.items() if code != _ABSOLUTE})

    def applied(self, attributes: pa.ListArray, destinations: Iterable[str]) -> pa.ListArray:
        """The envelopes of deliveries to these destinations, one each, out of their messages'.

        Both are list<struct<name, value>>, names distinct and sorted. `restart`: `as_of` and the
        time from `ce_time` to `ce_expirytime`; without a `ce_time` the instant of old stays.
        """
        if not self.codes:
            return attributes
        codes = np.array([self.codes.get(name, _ABSOLUTE) for name in destinations], np.int8)
        if not codes.any():
            return attributes
        parents = pc.list_parent_indices(attributes).to_numpy()
        pairs = attributes.flatten()
        names, values = pairs.field("name"), pairs.field("value")
        rules = np.where(_are(names, EXPIRY_ATTRIBUTE), codes[parents], _ABSOLUTE)
        values = self._restarted(values, rules == _RESTART, _are(names, TIME_ATTRIBUTE), parents)
        kept = rules != _NONE
        lengths = np.bincount(parents[kept], minlength=len(attributes))
        offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
        keep = pa.array(kept)
        columns = [names.filter(keep), values.filter(keep)]
        structs = pa.StructArray.from_arrays(columns, fields=list(attributes.type.value_type))
        return pa.ListArray.from_arrays(pa.array(offsets), structs)

    def _restarted(
        self, values: pa.Array, expiry: np.ndarray, times: np.ndarray, parents: np.ndarray
    ) -> pa.Array:
        """All values, those where `expiry` holds counted anew; `times`: where `ce_time` is."""
        begun = np.full(int(parents[-1]) + 1 if len(parents) else 0, -1, np.int64)
        begun[parents[times]] = np.flatnonzero(times)
        counted = np.flatnonzero(expiry)
        counted = counted[begun[parents[counted]] >= 0]
        if not len(counted):
            return values
        ends, starts = _instants(values, counted), _instants(values, begun[parents[counted]])
        moment = np.datetime64(self.as_of.astimezone(UTC).replace(tzinfo=None), "us")
        room = _LAST - moment
        to_live = np.clip(ends - starts, np.timedelta64(0, "us"), room)
        mask = np.zeros(len(values), np.bool_)
        mask[counted] = True
        texts = rfc3339_texts(pa.array(moment + to_live, pa.timestamp("us")))
        return pc.replace_with_mask(values, pa.array(mask), texts.cast(values.type))


def remaining_ms(window: Window, now: datetime) -> pa.Array:
    """How long each delivery of a window is still of use, for buses with a time to live.

    int64, milliseconds from `now` (timezone-aware), rounded up; 0 where it has expired, null where
    it never does.
    """
    parents = pc.list_parent_indices(window.attributes).to_numpy()
    pairs = window.attributes.flatten()
    names = pairs.field("name")
    at = np.flatnonzero(_are(names, EXPIRY_ATTRIBUTE) | _are(names, EVENT_EXPIRY))
    moment = np.datetime64(now.astimezone(UTC).replace(tzinfo=None), "us")
    left = (_instants(pairs.field("value"), at) - moment).astype(np.int64)
    rows = np.zeros(len(window), np.int64)
    rows[parents[at]] = np.maximum(0, -(-left // 1000))
    never = np.ones(len(window), np.bool_)
    never[parents[at]] = False
    return pa.array(rows, mask=never)


def _are(names: pa.Array, name: str) -> np.ndarray:
    same: np.ndarray = pc.equal(names, name).to_numpy(zero_copy_only=False)
    return same


def _instants(values: pa.Array, places: np.ndarray) -> np.ndarray:
    """RFC 3339 texts of the envelope as datetime64[us], UTC."""
    texts = values.take(pa.array(places, pa.int64()))
    return np.asarray(texts.cast(INSTANT).cast(pa.int64())).view("datetime64[us]")
