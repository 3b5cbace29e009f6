-- name: staging_events.page_is_present
-- severity: error
-- proves: every event says on which page it happened
select
    log_date,
    session_id,
    item_in_session,
    ts
from staging_events
where
    log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
    and page is null
