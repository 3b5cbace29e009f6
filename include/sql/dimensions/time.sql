with

start_times as (

    select start_time
    from songplays
    where
        log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
        and start_time is not null

    union

    select songplays.start_time
    from songplays
    inner join time_pending
        on songplays.start_time = time_pending.start_time

)

select
    start_time,
    extract(hour from start_time) as hour,
    extract(day from start_time) as day,
    cast(to_char(start_time, 'IW') as integer) as week,
    extract(month from start_time) as month,
    extract(year from start_time) as year,
    (extract(dow from start_time) + 6) % 7 as weekday
from start_times
