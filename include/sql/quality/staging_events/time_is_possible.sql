-- name: staging_events.time_is_possible
-- severity: error
-- proves: every event that has a time happened from 2000 to 2099
{% import "macros/events.sql" as events %}
select
    log_date,
    session_id,
    item_in_session,
    ts,
    user_id
from staging_events
where
    log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
    and not ({{ events.has_a_time() }})
