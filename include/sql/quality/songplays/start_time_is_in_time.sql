-- name: songplays.start_time_is_in_time
-- severity: error
-- proves: every start time of the log dates' plays has its row in time
with

plays as (

    select
        songplay_id,
        start_time
    from songplays
    where
        log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
        and start_time is not null

),

known_times as (

    select start_time
    from time
    where
        start_time >= (select min(start_time) from plays)
        and start_time <= (select max(start_time) from plays)

)

select
    plays.songplay_id,
    plays.start_time
from plays
left join known_times
    on plays.start_time = known_times.start_time
where known_times.start_time is null
