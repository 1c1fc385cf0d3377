-- FOUND, with raw digests in place of expected and observed.
WITH told AS (
    SELECT 'source_changed' AS kind, g.flow, g.row, g.legacy_id,
        g.record_digest AS expected, c.record_digest AS observed
    FROM source_pair p
    JOIN source_gone g ON g.row = p.gone
    JOIN source_come c ON c.row = p.come
    WHERE p.how = 'changed'
    UNION ALL
    SELECT 'source_removed', flow, row, legacy_id, record_digest, NULL
    FROM source_gone
    WHERE row NOT IN (SELECT p.gone FROM source_pair p)
    UNION ALL
    SELECT 'source_added', flow, row, legacy_id, NULL, record_digest
    FROM source_come
    WHERE row NOT IN (SELECT p.come FROM source_pair p)
)
SELECT kind, flow, NULL::VARCHAR AS destination, NULL::VARCHAR AS lane,
    NULL::VARCHAR AS message_id, legacy_id, 'record' AS field, expected, observed
FROM told
ORDER BY flow, kind, row;
