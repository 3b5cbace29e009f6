-- name: artists.id_is_unique
-- severity: error
-- proves: an artist is one row of artists
select
    artist_id,
    count(*) as row_count
from artists
group by artist_id
having count(*) > 1
