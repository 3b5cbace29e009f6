-- name: time.parts_agree_with_start_time
-- severity: error
-- proves: hour, day, week, month, year and weekday are those of start_time
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
    {{ bounds.start_time }}
    and (
        coalesce(hour, -1) <> extract(hour from start_time)
        or coalesce(day, -1) <> extract(day from start_time)
        or coalesce(week, -1) <> cast(to_char(start_time, 'IW') as integer)
        or coalesce(month, -1) <> extract(month from start_time)
        or coalesce(year, -1) <> extract(year from start_time)
        or coalesce(weekday, -1) <> (cast(extract(dow from start_time) as integer) + 6) % 7
    )
