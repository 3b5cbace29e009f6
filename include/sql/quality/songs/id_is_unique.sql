-- name: songs.id_is_unique
-- severity: error
-- proves: a song is one row of songs
select
    song_id,
    count(*) as row_count
from songs
group by song_id
having count(*) > 1
