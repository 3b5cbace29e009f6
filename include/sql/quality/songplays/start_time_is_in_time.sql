-- severity: error
-- proves: every start time of the log dates' plays has its row in time
select
    songplays.songplay_id,
    songplays.start_time
from songplays
left join time
    on songplays.start_time = time.start_time
where
    songplays.log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
    and songplays.start_time is not null
    and time.start_time is null
