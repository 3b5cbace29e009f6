-- name: staging_songs.song_has_an_id
-- severity: warn
-- proves: every song of the catalogue has an id and an artist
select
    song_id,
    title,
    artist_id,
    artist_name
from staging_songs
where song_id is null or artist_id is null
