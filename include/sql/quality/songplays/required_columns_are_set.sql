-- name: songplays.required_columns_are_set
-- severity: error
-- proves: every play of the log dates has a time, a session and a level
select
    songplay_id,
    start_time,
    session_id,
    level
from songplays
where
    log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
    and (start_time is null or session_id is null or level is null)
