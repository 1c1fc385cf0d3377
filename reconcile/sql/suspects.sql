-- Message ids of all deliveries that do not pair off one to one by their digest,
-- those of them that both sides know, and observed deliveries nobody expects.
CREATE OR REPLACE TABLE suspect AS
SELECT DISTINCT message_id
FROM (
    SELECT any_value(message_id) AS message_id
    FROM (
        SELECT print, message_id, 1 AS expected, NULL::INTEGER AS observed FROM expected
        UNION ALL
        SELECT print, message_id, NULL, 1 FROM observed
    )
    GROUP BY print
    HAVING count(expected) <> 1 OR count(observed) <> 1
);

CREATE OR REPLACE TABLE contested AS
SELECT message_id
FROM suspect
SEMI JOIN (SELECT message_id FROM expected) USING (message_id)
SEMI JOIN (SELECT message_id FROM observed) USING (message_id);

CREATE OR REPLACE TABLE stranger AS
SELECT o.row, o.destination, o.lane, o.message_id, o.place
FROM observed o
ANTI JOIN expected e ON e.message_id = o.message_id
WHERE o.message_id IS NULL OR o.message_id IN (SELECT s.message_id FROM suspect s);
