-- name: staging_events.file_is_small_enough
-- severity: warn
-- proves: no file of the log dates is larger than 1 GB, which COPY reads by one slice alone
select
    log_date,
    files,
    largest_file
from staged_dates
where
    table_name = 'staging_events'
    and log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
    and largest_file > 1073741824
