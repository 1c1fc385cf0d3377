-- Footwear noted in a custody record to footwear-impression/1: nobody rekeys it.
SELECT
    m.position,
    m.no AS _subject,
    'OFFICIAL-SENSITIVE' AS marking,
    'with the custody record' AS retentionClass,
    m.no || '/FW' AS impressionReference,
    'custody' AS origin,
    m.no AS custodyNumber,
    {'code': pattern.code, 'label': pattern.label} AS pattern,
    m.footwear_size AS size,
    CAST(left(m.arrived, 10) AS DATE) AS takenOn
FROM message AS m
JOIN codes AS pattern ON pattern.list = 'PATTERN' AND pattern.code = m.footwear_pattern
