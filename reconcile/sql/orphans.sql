-- Replayed replies without a request that is replayed, archived or excluded.
SELECT r.flow, r.legacy_id,
    EXISTS (
        SELECT 1 FROM fate q
        WHERE q.is_request AND q.flow = r.flow AND q.correlation_id = r.correlation_id
    ) AS held_back
FROM fate r
WHERE r.is_reply AND r.fate = 'replayed' AND NOT EXISTS (
    SELECT 1 FROM fate q
    WHERE q.is_request AND q.flow = r.flow AND q.correlation_id = r.correlation_id
        AND q.fate IN ('replayed', 'archived', 'excluded')
)
ORDER BY r.flow, r.position;
