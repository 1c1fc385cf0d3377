SELECT e.row, e.flow, e.legacy_id, e.message_id, e.output, e.destination, e.lane, e.print,
    c.head, c.body
FROM expected e
SEMI JOIN contested USING (message_id)
JOIN expected_content c USING (row)
ORDER BY e.message_id, e.row;
