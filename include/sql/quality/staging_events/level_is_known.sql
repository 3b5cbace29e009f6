-- name: staging_events.level_is_known
-- severity: error
-- proves: the level of every play and of every user's event is free or paid
select
    log_date,
    level,
    count(*) as event_count
from staging_events
where
    log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
    and (user_id is not null or page = 'NextSong')
    and (level is null or level not in ('free', 'paid'))
group by log_date, level
