-- name: staging_events.time_is_within_log_date
-- severity: warn
-- proves: the events of a file happened on the date in its name
select
    log_date,
    session_id,
    item_in_session,
    ts,
    user_id
from staging_events
where
    log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
    and trunc(timestamp 'epoch' + (ts / 1000) * interval '1 second') <> log_date
