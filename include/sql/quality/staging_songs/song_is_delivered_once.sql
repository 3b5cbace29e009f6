-- name: staging_songs.song_is_delivered_once
-- severity: warn
-- proves: no song was delivered twice with other content
select
    song_id,
    count(*) as versions
from (
    select distinct * from staging_songs
) as contents
where song_id is not null
group by song_id
having count(*) > 1
