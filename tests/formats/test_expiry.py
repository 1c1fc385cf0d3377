"""Expiry is a matter of the off-ramp: absolute, counted anew from as_of, or none."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from migrate.core.clock import rfc3339
from migrate.core.flow import OffRampSpec
from migrate.core.schema import ATTRIBUTE
from migrate.formats.expiry import Expiries, remaining_ms
from tests.windows import Sent, window

AS_OF = datetime(2026, 11, 25, 12, tzinfo=UTC)
RAMPS = {
    "kept": OffRampSpec("kept"),
    "anew": OffRampSpec("anew", expiry="restart"),
    "never": OffRampSpec("never", expiry="none"),
}
INSTANTS = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31)).map(
    lambda moment: moment.replace(tzinfo=UTC)
)
ENVELOPES = st.fixed_dictionaries(
    {"ce_id": st.text(max_size=5)},
    optional={"ce_time": INSTANTS, "ce_expirytime": INSTANTS, "ce_zone": st.text(max_size=3)},
)
LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def expected(envelope: dict[str, object], destination: str) -> dict[str, object]:
    """The rule, said once more for a single delivery."""
    expires, time = envelope.get("ce_expirytime"), envelope.get("ce_time")
    if destination == "never":
        return {name: value for name, value in envelope.items() if name != "ce_expirytime"}
    if destination != "anew" or expires is None or time is None:
        return envelope
    assert isinstance(expires, datetime)
    assert isinstance(time, datetime)
    to_live = min(max(expires - time, timedelta(0)), LAST - AS_OF)
    return {**envelope, "ce_expirytime": AS_OF + to_live}


def written(envelope: dict[str, object]) -> list[dict[str, str]]:
    return [
        {"name": name, "value": rfc3339(value) if isinstance(value, datetime) else str(value)}
        for name, value in sorted(envelope.items())
    ]


@settings(deadline=None)
@given(
    st.lists(st.tuples(ENVELOPES, st.sampled_from([*RAMPS, "nobody"])), max_size=12),
    st.integers(0, 3),
)
def test_each_delivery_expires_by_the_rule_of_its_off_ramp(
    deliveries: list[tuple[dict[str, object], str]], skipped: int
) -> None:
    """Nothing else of the envelope changes; a slice is no other thing than a whole."""
    kind = pa.list_(ATTRIBUTE)
    whole = pa.array([written(envelope) for envelope, _ in deliveries], kind)
    found = Expiries.of(RAMPS, AS_OF).applied(
        whole.slice(skipped), [to for _, to in deliveries[skipped:]]
    )
    assert found.type == kind
    assert found.to_pylist() == [written(expected(*one)) for one in deliveries[skipped:]]


def test_a_message_for_three_off_ramps_expires_three_ways() -> None:
    """An hour to live, long past: kept, an hour from as_of, never."""
    old = {"ce_time": "2018-03-31T23:00:00Z", "ce_expirytime": "2018-04-01T00:00:00.5Z"}
    sent = window([Sent(name, "1", old) for name in RAMPS])
    found = Expiries.of(RAMPS, AS_OF).applied(sent.attributes, sent.destinations)
    assert [dict(map(dict.values, pairs)).get("ce_expirytime") for pairs in found.to_pylist()] == [
        "2018-04-01T00:00:00.5Z",
        "2026-11-25T13:00:00.500000Z",
        None,
    ]


@settings(deadline=None)
@given(
    st.lists(st.one_of(st.none(), INSTANTS), min_size=1, max_size=8),
    INSTANTS,
)
def test_the_time_left_is_told_in_milliseconds(
    expiries: list[datetime | None], now: datetime
) -> None:
    """Rounded up, 0 where it has passed, null where there is no expiry."""
    sent = window(
        [Sent("x", "1", {"ce_expirytime": rfc3339(one)} if one else {}) for one in expiries]
    )
    exact = [None if one is None else (one - now) // timedelta(microseconds=1) for one in expiries]
    found = remaining_ms(sent, now).to_pylist()
    for told, microseconds in zip(found, exact, strict=True):
        assert (told is None) == (microseconds is None)
        if told is not None:
            assert told == max(0, -(-microseconds // 1000))
