-- name: users.level_is_known
-- severity: warn
-- proves: the level of every user of the log dates' events is free or paid
{#- The level may be of another date's event, which is for that date's run to judge. #}
select
    user_id,
    level,
    last_seen_at
from users
where
    user_id in (
        select user_id
        from staging_events
        where log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
    )
    and (level is null or level not in ('free', 'paid'))
