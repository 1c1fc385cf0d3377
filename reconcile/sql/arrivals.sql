-- The first arrival of every expected delivery with an order key, at its own place,
-- and the groups (hashed: a collision costs time, not truth) in which the sequence falls.
CREATE OR REPLACE TABLE arrival AS
SELECT e.row, min(o.arrival) AS arrival,
    any_value(hash(e.flow, e.destination, e.lane, e.order_key)) AS bundle,
    any_value(e.sequence) AS sequence
FROM expected e
JOIN observed o USING (message_id, destination, lane)
WHERE e.order_key IS NOT NULL AND o.row NOT IN (SELECT d.row FROM disowned d)
GROUP BY e.row;

CREATE OR REPLACE TABLE fallen AS
SELECT DISTINCT bundle
FROM (
    SELECT bundle, sequence < lag(sequence) OVER (PARTITION BY bundle ORDER BY arrival) AS falls
    FROM arrival
)
WHERE falls;
