-- name: songplays.artist_is_in_artists
-- severity: error
-- proves: every matched artist of the log dates' plays has its row in artists
{% import "macros/checks.sql" as checks %}
{{ checks.relationship("artist_id", "artists", checks.plays_of(log_dates, bounds)) }}
