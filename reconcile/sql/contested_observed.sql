SELECT o.row, o.message_id, o.destination, o.lane, o.place AS at, o.print, c.head, c.body
FROM observed o
SEMI JOIN contested USING (message_id)
JOIN observed_content c USING (row)
ORDER BY o.message_id, o.row;
