-- name: songplays.start_time_is_in_time
-- severity: error
-- proves: every start time of the log dates' plays has its row in time
{% import "macros/checks.sql" as checks %}
{{ checks.relationship(
    "start_time", "time", checks.plays_of(log_dates, bounds), bounds.start_time
) }}
