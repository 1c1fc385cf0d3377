-- One row a legacy message (core.schema.VERDICT).
WITH kept AS (
    SELECT flow, position, count(*) AS expected, count(*) FILTER (WHERE u.row IS NULL) AS matched
    FROM promised e
    LEFT JOIN unmatched u USING (row)
    GROUP BY flow, position
),
found AS (
    SELECT flow, legacy_id, count(*) AS findings
    FROM finding
    WHERE legacy_id IS NOT NULL
    GROUP BY flow, legacy_id
)
SELECT f.* EXCLUDE (is_request, is_reply),
    coalesce(p.expected, 0)::INTEGER AS deliveries_expected,
    coalesce(p.matched, 0)::INTEGER AS deliveries_matched,
    coalesce(n.findings, 0)::INTEGER AS findings,
    CASE
        WHEN n.findings > 0 THEN 'differs'
        WHEN list_contains($unverified, f.flow) THEN 'unverified'
        ELSE 'agrees'
    END AS verdict
FROM fate f
LEFT JOIN kept p USING (flow, position)
LEFT JOIN found n USING (flow, legacy_id)
ORDER BY f.flow, f.position;
