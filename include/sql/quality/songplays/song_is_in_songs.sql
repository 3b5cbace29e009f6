-- name: songplays.song_is_in_songs
-- severity: error
-- proves: every matched song of the log dates' plays has its row in songs
{% import "macros/checks.sql" as checks %}
{{ checks.relationship("song_id", "songs", checks.plays_of(log_dates, bounds)) }}
