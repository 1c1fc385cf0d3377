-- The reply of an awaited search to search-reply/1.
SELECT
    m.position,
    'OFFICIAL-SENSITIVE' AS marking,
    'search log' AS retentionClass,
    m.request_id AS requestId,
    m.result AS result,
    CAST(m.traces AS INTEGER) AS traces,
    m.warnings AS warnings,
    m.summary AS summary,
    m.reference AS reference,
    m.elapsed AS elapsedSeconds,
    rfc3339(m.created_at) AS repliedAt
FROM message AS m
