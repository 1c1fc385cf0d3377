-- A scanned impression of a batch file to footwear-impression/1.
SELECT
    m.position,
    m.reference AS _subject,
    'OFFICIAL-SENSITIVE' AS marking,
    'with the custody record' AS retentionClass,
    m.reference AS impressionReference,
    'batch' AS origin,
    m.custody_no AS custodyNumber,
    {'code': pattern.code, 'label': pattern.label} AS pattern,
    m.size AS size,
    CAST(m.taken AS DATE) AS takenOn,
    m.authority AS authority,
    m.remark AS remark,
    {'sha256': m.image, 'height': CAST(m.height AS INTEGER), 'width': CAST(m.width AS INTEGER)}
        AS image
FROM message AS m
JOIN codes AS pattern ON pattern.list = 'PATTERN' AND pattern.code = m.pattern
