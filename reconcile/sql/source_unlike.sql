-- Records that the two sides do not hold equally often, and how often both do.
CREATE OR REPLACE TABLE source_unlike AS
SELECT flow, legacy_id, record_digest, least(count(was), count(now)) AS common
FROM (
    SELECT flow, legacy_id, record_digest, 1 AS was, NULL::INTEGER AS now FROM sealed
    UNION ALL
    SELECT flow, legacy_id, record_digest, NULL, 1 FROM present
)
WHERE list_contains($flows, flow)
GROUP BY flow, legacy_id, record_digest
HAVING count(was) <> count(now);
