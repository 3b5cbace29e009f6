-- name: artists.name_is_set
-- severity: warn
-- proves: every artist has a name
-- if_written: artists
select
    artist_id,
    name
from artists
where name is null
