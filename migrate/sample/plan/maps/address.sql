-- A gazetteer update to address/1. Coordinates stay as they are written.
SELECT
    m.position,
    m.uprn AS _subject,
    'OFFICIAL' AS marking,
    'while current' AS retentionClass,
    m.uprn AS uprn,
    CASE m.change WHEN 'I' THEN 'insert' WHEN 'U' THEN 'update' WHEN 'D' THEN 'delete' END
        AS change,
    m.usrn AS usrn,
    m.class AS classification,
    {
        'organisation': nullif(m.organisation, ''),
        'buildingNumber': nullif(m.building_number, ''),
        'buildingText': nullif(m.building_text, ''),
        'street': m.street,
        'locality': nullif(m.locality, ''),
        'town': m.town,
        'postcode': m.postcode
    } AS address,
    {'x': m.x, 'y': m.y, 'latitude': m.latitude, 'longitude': m.longitude} AS coordinates,
    m.custodian AS custodianCode,
    CAST(m.started AS DATE) AS startedOn,
    CAST(m.updated AS DATE) AS updatedOn
FROM message AS m
