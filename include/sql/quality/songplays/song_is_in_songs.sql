-- name: songplays.song_is_in_songs
-- severity: error
-- proves: every matched song and artist of the log dates' plays has its row
select
    songplays.songplay_id,
    songplays.song_id,
    songplays.artist_id
from songplays
left join songs
    on songplays.song_id = songs.song_id
left join artists
    on songplays.artist_id = artists.artist_id
where
    songplays.log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
    and (
        (songplays.song_id is not null and songs.song_id is null)
        or (songplays.artist_id is not null and artists.artist_id is null)
    )
