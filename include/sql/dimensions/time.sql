with

start_times as (

    select distinct start_time
    from songplays
    where
        {{ bounds.start_time }}
        and start_time in (select start_time from keys)

)

select
    start_time,
    extract(hour from start_time) as hour,
    extract(day from start_time) as day,
    cast(to_char(start_time, 'IW') as integer) as week,
    extract(month from start_time) as month,
    extract(year from start_time) as year,
    (cast(extract(dow from start_time) as integer) + 6) % 7 as weekday
from start_times
