-- name: songs.required_columns_are_set
-- severity: error
-- proves: every song has a title and an artist
-- if_written: songs
select
    song_id,
    title,
    artist_id
from songs
where title is null or rtrim(title) = '' or artist_id is null
