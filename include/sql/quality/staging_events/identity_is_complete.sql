-- name: staging_events.identity_is_complete
-- severity: error
-- proves: every event has a session, a place in it and a time
select
    log_date,
    session_id,
    item_in_session,
    ts,
    user_id,
    page
from staging_events
where
    log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
    and (session_id is null or item_in_session is null or ts is null)
