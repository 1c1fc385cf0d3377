-- Records of the side at hand (`one_side`) beyond what both sides hold; in spools with their place in their file.
CREATE OR REPLACE TABLE source_surplus AS
WITH beyond AS (
    SELECT r.*, u.common,
        row_number() OVER (PARTITION BY flow, legacy_id, record_digest ORDER BY r.row) AS nth,
        regexp_extract(legacy_id, '^(.*)#[^#]*#[^#]*$', 1) AS file
    FROM one_side r
    JOIN source_unlike u USING (flow, legacy_id, record_digest)
),
starts AS (
    SELECT flow, regexp_extract(legacy_id, '^(.*)#[^#]*#[^#]*$', 1) AS file,
        min(position) AS start
    FROM one_side
    WHERE list_contains($spools, flow) AND flow IN (SELECT b.flow FROM beyond b)
    GROUP BY ALL
)
SELECT b.row, b.flow, b.source_key, b.legacy_id, b.record_digest,
    s.file || '#' || (b.position - s.start) AS spot
FROM beyond b
LEFT JOIN starts s USING (flow, file)
WHERE b.nth > b.common;
