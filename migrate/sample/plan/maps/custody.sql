-- NSPIS custody record to custody-record/2.
-- The inner joins are meant: a code that nobody knows is not passed on.
SELECT
    m.position,
    m.no AS _subject,
    'OFFICIAL-SENSITIVE' AS marking,
    offence.retention AS retentionClass,
    m.no AS custodyNumber,
    CAST(m.ver AS INTEGER) AS recordVersion,
    {'arrivedLocal': m.arrived, 'recordedAt': rfc3339(m.created_at)} AS event,
    {'suiteCode': suite.code, 'suiteName': suite.name, 'area': suite.area} AS location,
    {
        'pncId': m.pnc_id,
        'familyName': m.surname,
        'givenName': m.forename,
        'dateOfBirth': CAST(m.born AS DATE),
        'genderCode': m.gender
    } AS person,
    {'code': offence.code, 'label': offence.label} AS offence,
    m.other_offences AS otherOffenceCodes,
    m.log_entries AS log
FROM message AS m
JOIN codes AS offence ON offence.list = 'OFFENCE' AND offence.code = m.offence
JOIN suites AS suite ON suite.code = m.suite
