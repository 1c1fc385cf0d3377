-- All findings in a fixed order; one that the previous reconciliation had keeps its first_seen.
WITH known AS (
    SELECT kind, flow, destination, lane, message_id, legacy_id, field,
        min(first_seen) AS first_seen
    FROM previous
    GROUP BY ALL
)
SELECT f.*, coalesce(k.first_seen, $now) AS first_seen
FROM finding f
LEFT JOIN known k
    ON k.kind = f.kind
    AND k.flow IS NOT DISTINCT FROM f.flow
    AND k.destination IS NOT DISTINCT FROM f.destination
    AND k.lane IS NOT DISTINCT FROM f.lane
    AND k.message_id IS NOT DISTINCT FROM f.message_id
    AND k.legacy_id IS NOT DISTINCT FROM f.legacy_id
    AND k.field IS NOT DISTINCT FROM f.field
ORDER BY list_position($kinds, f.kind), f.flow, f.destination, f.lane, f.message_id, f.legacy_id,
    f.field, f.expected, f.observed;
