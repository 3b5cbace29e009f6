-- name: songs.id_is_unique
-- severity: error
-- proves: a song is one row of songs
-- if_written: songs
{% import "macros/checks.sql" as checks %}
{{ checks.unique_text("songs", "song_id") }}
