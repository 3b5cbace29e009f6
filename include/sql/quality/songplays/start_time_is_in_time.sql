-- name: songplays.start_time_is_in_time
-- severity: error
-- proves: every start time of the log dates' plays has its row in time
{% import "macros/loads.sql" as loads %}
{#- The plays of a date that another run is yet to load are for that run to judge. #}
with

on_the_way as (

    {{ loads.dates_on_the_way('time', log_dates) }}

),

plays as (

    select
        songplay_id,
        start_time
    from songplays
    where
        log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
        and start_time is not null
        and log_date not in (select log_date from on_the_way)

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
left join time_pending
    on plays.start_time = time_pending.start_time
where known_times.start_time is null and time_pending.start_time is null
