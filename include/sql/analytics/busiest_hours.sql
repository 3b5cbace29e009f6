-- question: Which ten hours (UTC) of the last seven days saw the most plays?
-- note: The last seven days of data: they end with the day of the latest play on a loaded log date.
-- bar: plays
{% import "macros/spans.sql" as spans %}
with

loaded as (

    {{ spans.loaded_span() }}

),

plays as (

    select
        start_time,
        user_id
    from songplays
    cross join loaded
    where
        start_time >= begins_at
        and start_time < ends_at

),

last_seven_days as (

    select dateadd(day, -6, date_trunc('day', max(start_time))) as begin_at
    from plays

)

select
    date_trunc('hour', start_time) as starts_at,
    count(*) as plays,
    count(distinct user_id) as listeners
from plays
where start_time >= (select begin_at from last_seven_days)
group by date_trunc('hour', start_time)
order by plays desc, starts_at asc
limit 10
