-- name: staging_events.field_is_known
-- severity: warn
-- proves: every field of the events has a column to go to
select
    log_date,
    file_name,
    field,
    example
from staging_unknown_fields
where
    table_name = 'staging_events'
    and log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
