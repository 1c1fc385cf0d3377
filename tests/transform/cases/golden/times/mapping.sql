-- Instants around the hours that happen twice or never, and the ends of time.
SELECT
    position,
    rfc3339(created_at) AS utc,
    strftime(created_at AT TIME ZONE 'Europe/London', '%A %d %B %Y %H:%M:%S %j') AS london,
    CAST(created_at AT TIME ZONE 'Europe/London' AS DATE) AS london_day,
    CAST(created_at AS DATE) AS utc_day,
    CAST(created_at AS VARCHAR) AS written,
    date_diff('day', created_at, as_of) AS days_old,
    date_diff('year', created_at, as_of) AS year_ends,
    rfc3339(date_trunc('month', created_at)) AS month_start,
    rfc3339(created_at + INTERVAL 1 MONTH) AS month_later,
    epoch_ms(created_at) AS milliseconds,
    created_at < as_of - INTERVAL 7 YEAR AS old,
    rfc3339(try_strptime(created_at_text, '%d/%m/%Y %H:%M')) AS parsed,
    created_at_text AS text
FROM message
