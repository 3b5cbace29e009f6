-- name: staging_events.visitor_level_is_known
-- severity: warn
-- proves: the level of an event by a visitor who is not signed in is free or paid
select
    log_date,
    level,
    count(*) as event_count
from staging_events
where
    log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
    and user_id is null
    and (page is null or page <> 'NextSong')
    and (level is null or level not in ('free', 'paid'))
group by log_date, level
