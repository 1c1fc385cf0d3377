-- Strangers in order of arrival, with the legacy message each could have been made from.
SELECT s.row, s.destination, s.lane, s.message_id, s.place, c.head, p.flow, p.legacy_id, p.fate
FROM stranger s
JOIN observed_content c USING (row)
LEFT JOIN possible p ON p.message_id = s.message_id
ORDER BY s.row;
