-- Expected deliveries by flow, and how many of them are of messages beyond suspicion.
SELECT flow, count(*), count(*) FILTER (WHERE s.message_id IS NULL)
FROM expected e
LEFT JOIN suspect s USING (message_id)
GROUP BY flow
ORDER BY flow;
