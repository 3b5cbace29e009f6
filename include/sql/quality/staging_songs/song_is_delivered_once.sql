-- name: staging_songs.song_is_delivered_once
-- severity: warn
-- proves: no song was delivered twice with other content
-- if_written: staging_songs
select
    song_id,
    count(*) as versions
from (
    select distinct
        num_songs,
        artist_id,
        artist_latitude,
        artist_longitude,
        artist_location,
        artist_name,
        song_id,
        title,
        duration,
        year
    from staging_songs
) as contents
where song_id is not null
group by song_id
having count(*) > 1
