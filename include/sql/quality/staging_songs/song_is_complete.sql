-- name: staging_songs.song_is_complete
-- severity: warn
-- proves: every song of the catalogue has an id, a title, an artist and a duration above 0
-- if_written: staging_songs
{#- One that lacks any is in no table but this. #}
select
    song_id,
    title,
    artist_id,
    artist_name,
    duration
from staging_songs
where
    song_id is null
    or title is null
    or rtrim(title) = ''
    or artist_id is null
    or rtrim(artist_id) = ''
    or duration is null
    or duration <= 0
