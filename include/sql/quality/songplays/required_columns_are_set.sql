-- name: songplays.required_columns_are_set
-- severity: error
-- proves: every play of the log dates has a time, a session and a level
{% import "macros/checks.sql" as checks %}
{{ checks.required(
    "songplays",
    ["songplay_id", "start_time", "session_id", "level"],
    ["start_time", "session_id", "level"],
    checks.plays_of(log_dates, bounds)
) }}
