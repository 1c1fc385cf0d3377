-- A custody record as the sample has it, in short.
SELECT
    m.position,
    m.no AS _subject,
    'K' || m.no AS _order_key,
    m.no AS custodyNumber,
    CAST(m.ver AS INTEGER) AS recordVersion,
    {'code': offence.code, 'label': offence.label} AS offence,
    CAST(m.born AS DATE) AS dateOfBirth,
    m.others AS otherOffenceCodes
FROM message AS m
JOIN codes AS offence ON offence.list = 'OFFENCE' AND offence.code = m.offence
