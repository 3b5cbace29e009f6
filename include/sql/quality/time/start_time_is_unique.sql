-- name: time.start_time_is_unique
-- severity: error
-- proves: a start time of the log dates' plays is one row of time
with

plays as (

    select start_time
    from songplays
    where log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'

)

select
    start_time,
    count(*) as row_count
from time
where
    start_time in (select start_time from plays)
    and start_time >= (select min(start_time) from plays)
    and start_time <= (select max(start_time) from plays)
group by start_time
having count(*) > 1
