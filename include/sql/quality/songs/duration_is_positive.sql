-- name: songs.duration_is_positive
-- severity: error
-- proves: every song has a duration above 0
-- if_written: songs
select
    song_id,
    title,
    duration
from songs
where duration is null or duration <= 0
