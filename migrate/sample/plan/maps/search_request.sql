-- The request of an awaited search to search-request/1.
SELECT
    m.position,
    'OFFICIAL-SENSITIVE' AS marking,
    'search log' AS retentionClass,
    m.request_id AS requestId,
    m.search_kind AS searchKind,
    rfc3339(m.created_at) AS requestedAt,
    {'warrantNumber': m.warrant, 'terminal': m.terminal, 'forceCode': m.force} AS officer,
    m.purpose AS purpose,
    CASE WHEN m.surname IS NOT NULL THEN
        {
            'familyName': m.surname,
            'givenName': m.forename,
            'dateOfBirth': CAST(m.born AS DATE)
        }
    END AS person,
    CASE WHEN m.vrm IS NOT NULL THEN {'registration': m.vrm} END AS vehicle,
    CAST(m.row_limit AS INTEGER) AS rowLimit
FROM message AS m
