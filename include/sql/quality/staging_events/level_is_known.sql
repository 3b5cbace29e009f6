-- name: staging_events.level_is_known
-- severity: error
-- proves: the level of every play and of every user's event is free or paid
{% import "macros/checks.sql" as checks %}
{{ checks.accepted_values(
    "level",
    ["'free'", "'paid'"],
    checks.events_of(log_dates) ~ " and (user_id is not null or page = 'NextSong')"
) }}
