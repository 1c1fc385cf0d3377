SELECT e.flow, e.destination, e.lane, e.order_key, e.sequence, e.message_id, e.legacy_id
FROM arrival a
SEMI JOIN fallen USING (bundle)
JOIN expected e ON e.row = a.row
ORDER BY e.flow, e.destination, e.lane, e.order_key, a.arrival, e.row;
