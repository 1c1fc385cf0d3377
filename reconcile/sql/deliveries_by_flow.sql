-- Expected and matched deliveries by flow.
SELECT flow, count(*), count(*) FILTER (WHERE u.row IS NULL)
FROM promised e
LEFT JOIN unmatched u USING (row)
GROUP BY flow;
