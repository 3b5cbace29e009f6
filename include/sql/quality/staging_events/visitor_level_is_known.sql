-- name: staging_events.visitor_level_is_known
-- severity: warn
-- proves: the level of an event by a visitor who is not signed in is free or paid
{% import "macros/checks.sql" as checks %}
{{ checks.accepted_values(
    "level",
    ["'free'", "'paid'"],
    checks.events_of(log_dates) ~ " and user_id is null and (page is null or page <> 'NextSong')"
) }}
