-- name: songplays.artist_is_in_artists
-- severity: error
-- proves: every matched artist of the log dates' plays has its row in artists
select
    songplays.songplay_id,
    songplays.artist_id
from songplays
left join artists
    on songplays.artist_id = artists.artist_id
where
    songplays.log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
    and songplays.artist_id is not null
    and artists.artist_id is null
