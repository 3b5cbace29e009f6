-- name: staging_events.line_was_read
-- severity: warn
-- proves: no line of the log dates' files was left out
select
    log_date,
    file_name,
    line_number,
    column_name,
    value,
    reason
from staging_rejects
where
    table_name = 'staging_events'
    and log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
