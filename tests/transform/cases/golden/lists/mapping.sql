-- Lists taken apart, sorted, put together.
SELECT
    position,
    codes AS codes,
    [{'code': z[1], 'number': TRY_CAST(z[2] AS INTEGER)} FOR z IN list_zip(codes, numbers)] AS pairs,
    t AS tags,
    list_sort(t) AS sorted,
    list_sort(list_distinct([x FOR x IN t IF x <> ''])) AS unlike,
    array_to_string(t, '|') AS joined,
    len(t) AS size,
    t[1] AS "first",
    (SELECT string_agg(u, ',' ORDER BY u DESC) FROM unnest(message.t) AS x(u)) AS collected,
    (SELECT count(*) FROM unnest(message.codes)) AS counted,
    list_reduce([len(x) FOR x IN t IF x IS NOT NULL], lambda a, b: a + b, 0) AS letters
FROM message
