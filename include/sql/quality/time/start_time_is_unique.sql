-- name: time.start_time_is_unique
-- severity: error
-- proves: a start time of the log dates' plays is one row of time
{% import "macros/checks.sql" as checks %}
{{ checks.unique("time", "start_time", bounds.start_time) }}
