-- Expected deliveries of messages that the bus does not hold anywhere (FOUND, and row).
SELECT e.row, 'missing' AS kind, e.flow, e.destination, e.lane, e.message_id, e.legacy_id,
    NULL::VARCHAR AS field, '1' AS expected, '0' AS observed
FROM expected e
SEMI JOIN suspect USING (message_id)
ANTI JOIN contested USING (message_id);
