-- Numbers, truths and dates out of written text.
SELECT
    position,
    n AS written,
    TRY_CAST(n AS BIGINT) AS whole,
    CAST(TRY_CAST(n AS DECIMAL(18, 4)) AS VARCHAR) AS decimal,
    CAST(TRY_CAST(n AS DOUBLE) AS VARCHAR) AS "float",
    CAST(round(TRY_CAST(n AS DECIMAL(18, 4)), 1) AS VARCHAR) AS rounded,
    n__kind AS "kind",
    TRY_CAST(n AS BIGINT) // 7 AS quotient,
    TRY_CAST(n AS BIGINT) % 7 AS remainder,
    TRY_CAST(n AS DOUBLE) > 1 AS large,
    TRY_CAST(d AS DATE) AS "day",
    date_part('isodow', TRY_CAST(d AS DATE)) AS weekday,
    TRY_CAST(d AS DATE) + INTERVAL 1 MONTH > DATE '2018-03-01' AS later,
    {'b': TRY_CAST(b AS BOOLEAN), 'nothing': CAST(NULL AS VARCHAR)} AS flags
FROM message
