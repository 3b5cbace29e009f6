-- name: time.parts_agree_with_start_time
-- severity: error
-- proves: hour, day, week, month, year and weekday are those of start_time
with

plays as (

    select start_time
    from songplays
    where log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'

)

select
    start_time,
    hour,
    day,
    week,
    month,
    year,
    weekday
from time
where
    start_time in (select start_time from plays)
    and start_time >= (select min(start_time) from plays)
    and start_time <= (select max(start_time) from plays)
    and (
        coalesce(hour, -1) <> extract(hour from start_time)
        or coalesce(day, -1) <> extract(day from start_time)
        or coalesce(week, -1) <> cast(to_char(start_time, 'IW') as integer)
        or coalesce(month, -1) <> extract(month from start_time)
        or coalesce(year, -1) <> extract(year from start_time)
        or coalesce(weekday, -1) <> (extract(dow from start_time) + 6) % 7
    )
