-- name: users.level_is_known
-- severity: warn
-- proves: the level of every user of the log dates' events is free or paid
{#- The level may be of another date's event, which is for that date's run to judge. #}
{% import "macros/checks.sql" as checks %}
select
    user_id,
    level,
    last_seen_at
from users
where
    {{ checks.users_of(log_dates) }}
    and (level is null or level not in ('free', 'paid'))
