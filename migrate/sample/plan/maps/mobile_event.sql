-- An event of an in-vehicle or hand-held application to mobile-event/1.
-- Decimals and long numbers leave as the text they were written in.
SELECT
    m.position,
    'OFFICIAL-SENSITIVE' AS marking,
    'position log' AS retentionClass,
    m.event_id AS eventId,
    m.kind AS kind,
    m.device AS deviceType,
    m.callsign AS callsign,
    m.vehicle AS vehicle,
    m.happened AS happenedAt,
    rfc3339(m.created_at) AS recordedAt,
    CAST(m.sequence AS BIGINT) AS sequenceNumber,
    m.speed AS speed,
    m.odometer AS odometer,
    m.readings AS readings,
    CAST(m.battery AS INTEGER) AS battery,
    m.charging = 'true' AS charging,
    {'latitude': m.lat, 'longitude': m.lon} AS coordinates,
    CASE WHEN m.uprn IS NOT NULL THEN
        {
            'uprn': m.uprn,
            'street': address.street,
            'town': address.town,
            'postcode': address.postcode,
            'beat': beat.beat
        }
    END AS location,
    m.note AS note
FROM message AS m
LEFT JOIN addresses AS address ON address.uprn = m.uprn
LEFT JOIN beats AS beat ON beat.uprn = m.uprn
