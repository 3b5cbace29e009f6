-- name: staging_events.status_is_known
-- severity: warn
-- proves: every event was answered by 200, 307 or 404
select
    log_date,
    status,
    count(*) as event_count
from staging_events
where
    log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
    and (status is null or status not in (200, 307, 404))
group by log_date, status
