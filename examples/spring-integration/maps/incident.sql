-- An incident, with the name of the channel it waited in: GROUP_KEY is the order key.
SELECT
    m.position,
    m.incident,
    m.grade,
    m.callsigns,
    c.channel,
    m.sent_id AS "messageId"
FROM message AS m
LEFT JOIN channels AS c ON c.group_key = m.order_key
