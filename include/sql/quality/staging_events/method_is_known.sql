-- name: staging_events.method_is_known
-- severity: warn
-- proves: every event came by GET or PUT
select
    log_date,
    method,
    count(*) as event_count
from staging_events
where
    log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
    and (method is null or method not in ('GET', 'PUT'))
group by log_date, method
