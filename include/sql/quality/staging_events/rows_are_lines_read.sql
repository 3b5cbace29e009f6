-- name: staging_events.rows_are_lines_read
-- severity: error
-- proves: a log date's rows are the lines that COPY read of its files, less those left out
with

counted as (

    select
        log_date,
        count(*) as row_count
    from staging_events
    where log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
    group by log_date

),

rejected as (

    select
        log_date,
        count(*) as line_count
    from staging_rejects
    where
        table_name = 'staging_events'
        and log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
    group by log_date

)

select
    staged_dates.log_date,
    staged_dates.lines_read,
    coalesce(rejected.line_count, 0) as left_out,
    coalesce(counted.row_count, 0) as row_count
from staged_dates
left join counted
    on staged_dates.log_date = counted.log_date
left join rejected
    on staged_dates.log_date = rejected.log_date
where
    staged_dates.table_name = 'staging_events'
    and staged_dates.log_date
    between '{{ log_dates.first }}' and '{{ log_dates.last }}'
    and staged_dates.lines_read
    <> coalesce(counted.row_count, 0) + coalesce(rejected.line_count, 0)
