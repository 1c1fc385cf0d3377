"""Arrow schemas of everything that travels between rooms and rests on disk.

All times are timestamp[us, UTC]; all digests are 32 raw bytes of SHA-256.
"""

import pyarrow as pa

INSTANT = pa.timestamp("us", tz="UTC")
DIGEST = pa.binary(32)
HEADER = pa.struct([("name", pa.string()), ("type", pa.string()), ("value", pa.string())])
ATTRIBUTE = pa.struct([("name", pa.string()), ("value", pa.string())])
DELIVERY = pa.struct([("destination", pa.string()), ("lane", pa.string())])

LEGACY = pa.schema(
    [
        ("flow", pa.string()),
        ("position", pa.int64()),  # ordinal given at first extraction; only orders
        ("source_key", pa.string()),  # JSON array of the native key's texts; null without a key
        ("legacy_id", pa.string()),
        ("body", pa.large_binary()),  # exact bytes; null is not empty
        ("body_kind", pa.string()),  # text, bytes, row (JSON of a body-less row), null
        ("charset", pa.string()),
        ("message_type", pa.string()),
        ("priority", pa.int64()),
        ("correlation_id", pa.string()),
        ("order_key", pa.string()),
        ("status", pa.string()),
        ("attempts", pa.int64()),
        ("created_at", INSTANT),
        ("created_at_text", pa.string()),  # as written in the store
        ("expires_at", INSTANT),
        ("expires_at_text", pa.string()),
        ("delivered_to", pa.list_(pa.string())),  # legacy endpoints that acknowledged
        ("headers", pa.list_(HEADER)),
        ("problem", pa.string()),  # a core.reasons.Reason the reader itself found, else null
        ("problem_place", pa.string()),
        ("record_digest", DIGEST),  # identity.record_digests: all but flow, position, legacy_id
    ]
)

MESSAGE = pa.schema(
    [
        ("flow", pa.string()),
        ("position", pa.int64()),
        ("output", pa.string()),  # the output's name; "archive" for an archived message
        ("ordinal", pa.int32()),
        ("message_id", pa.string()),
        ("type", pa.string()),
        ("order_key", pa.string()),
        ("sequence", pa.int64()),
        ("correlation_id", pa.string()),
        ("attributes", pa.list_(ATTRIBUTE)),  # the whole envelope but lane and run id, sorted
        ("body", pa.large_binary()),
        ("digest", DIGEST),
        ("deliveries", pa.list_(DELIVERY)),
        ("legacy_id", pa.string()),
        ("record_digest", DIGEST),
    ]
)

FATE = pa.schema(
    [
        ("flow", pa.string()),
        ("position", pa.int64()),
        ("legacy_id", pa.string()),
        ("fate", pa.string()),  # replayed, archived, excluded, quarantined
        ("rule", pa.string()),  # the fate rule that decided, or null
        ("reason", pa.string()),  # quarantined only: core.reasons.Reason
        ("place", pa.string()),  # quarantined only: column, field, output, rule or byte offset
        ("order_key", pa.string()),
        ("correlation_id", pa.string()),
        ("record_digest", DIGEST),
    ]
)

QUARANTINE = pa.schema(
    [
        *FATE,
        ("source_key", pa.string()),
        ("body", pa.large_binary()),
        ("body_kind", pa.string()),
        ("charset", pa.string()),
    ]
)

RECEIPT = pa.schema(
    [
        ("flow", pa.string()),
        ("batch", pa.int64()),
        ("message_id", pa.string()),
        ("destination", pa.string()),
        ("lane", pa.string()),
        ("outcome", pa.string()),  # confirmed, in_doubt
        ("bus_position", pa.string()),
        ("confirmed_at", INSTANT),
    ]
)

OBSERVED = pa.schema(
    [
        ("arrival", pa.int64()),  # order of arrival within the destination and lane
        ("destination", pa.string()),
        ("lane", pa.string()),
        ("message_id", pa.string()),
        ("headers", pa.string()),  # JSON object text as the bus holds it
        ("body", pa.large_binary()),
        ("place", pa.string()),  # where on the bus: a position, an offset
    ]
)

FINDING = pa.schema(
    [
        ("kind", pa.string()),
        ("flow", pa.string()),
        ("destination", pa.string()),
        ("lane", pa.string()),
        ("message_id", pa.string()),
        ("legacy_id", pa.string()),
        ("field", pa.string()),
        ("expected", pa.string()),  # counts and names plain; payload values as keyed hashes
        ("observed", pa.string()),
        ("first_seen", pa.string()),  # RFC 3339
    ]
)

VERDICT = pa.schema(
    [
        *FATE,
        ("deliveries_expected", pa.int32()),
        ("deliveries_matched", pa.int32()),
        ("findings", pa.int32()),
        ("verdict", pa.string()),  # agrees, differs, unverified
    ]
)
