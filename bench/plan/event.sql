SELECT position, unit, kind, CAST(seen AS BIGINT) AS seen, note FROM message
