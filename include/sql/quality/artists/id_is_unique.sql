-- name: artists.id_is_unique
-- severity: error
-- proves: an artist is one row of artists
-- if_written: artists
{% import "macros/checks.sql" as checks %}
{{ checks.unique_text("artists", "artist_id") }}
