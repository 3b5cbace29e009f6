-- name: songplays.id_is_unique
-- severity: error
-- proves: a play of the log dates is one row of songplays
{% import "macros/checks.sql" as checks %}
{{ checks.unique("songplays", "songplay_id", checks.plays_of(log_dates, bounds)) }}
