-- question: Which ten hours (UTC) of the last seven days saw the most plays?
-- note: The last seven days of data: they end with the day of the latest play.
-- bar: plays
with

last_seven_days as (

    select dateadd(day, -6, date_trunc('day', max(start_time))) as begin_at
    from songplays

)

select
    date_trunc('hour', start_time) as starts_at,
    count(*) as plays,
    count(distinct user_id) as listeners
from songplays
where start_time >= (select begin_at from last_seven_days)
group by date_trunc('hour', start_time)
order by plays desc, starts_at asc
limit 10
