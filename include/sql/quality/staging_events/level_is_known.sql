-- name: staging_events.level_is_known
-- severity: warn
-- proves: every event's level is free or paid
select
    log_date,
    level,
    count(*) as event_count
from staging_events
where
    log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
    and (level is null or level not in ('free', 'paid'))
group by log_date, level
