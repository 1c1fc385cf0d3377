-- Expected, observed and matched deliveries by destination and lane.
SELECT destination, lane, sum(expected)::BIGINT, sum(observed)::BIGINT, sum(matched)::BIGINT
FROM (
    SELECT destination, lane, count(*) AS expected, 0 AS observed,
        count(*) FILTER (WHERE u.row IS NULL) AS matched
    FROM promised e
    LEFT JOIN unmatched u USING (row)
    GROUP BY destination, lane
    UNION ALL
    SELECT destination, lane, 0, count(*), 0 FROM observed GROUP BY destination, lane
)
GROUP BY destination, lane
ORDER BY destination NULLS LAST, lane NULLS LAST;
