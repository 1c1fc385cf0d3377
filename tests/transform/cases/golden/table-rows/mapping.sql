-- A row of a table without a key: every column as it is written.
SELECT
    position,
    t AS type,
    lat AS latitude,
    part AS partOfOperation,
    part__kind AS partKind,
    "when" AS "date",
    TRY_CAST(lat AS DECIMAL(9, 6)) IS NOT NULL AS placed
FROM message
