-- name: staging_events.volume_is_usual
-- severity: warn
-- proves: a log date has half to twice the lines that its weekday had in the eight weeks before
with

loaded as (

    select
        log_date,
        lines_read
    from staged_dates
    where
        table_name = 'staging_events'
        and log_date between dateadd(day, -56, cast('{{ log_dates.first }}' as date))
        and '{{ log_dates.last }}'

),

usual as (

    select
        loaded.log_date,
        count(*) as weeks,
        median(earlier.lines_read) as usual_lines
    from loaded
    inner join loaded as earlier
        on
            loaded.log_date > earlier.log_date
            and datediff(day, earlier.log_date, loaded.log_date) <= 56
            and datediff(day, earlier.log_date, loaded.log_date) % 7 = 0
    where
        loaded.log_date
        between '{{ log_dates.first }}' and '{{ log_dates.last }}'
    group by loaded.log_date

)

select
    loaded.log_date,
    loaded.lines_read,
    usual.usual_lines,
    usual.weeks
from loaded
inner join usual
    on loaded.log_date = usual.log_date
where
    usual.weeks >= 3
    and (
        loaded.lines_read * 2 < usual.usual_lines
        or loaded.lines_read > usual.usual_lines * 2
    )
