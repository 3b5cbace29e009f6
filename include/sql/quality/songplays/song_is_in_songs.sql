-- name: songplays.song_is_in_songs
-- severity: error
-- proves: every matched song of the log dates' plays has its row in songs
select
    songplays.songplay_id,
    songplays.song_id
from songplays
left join songs
    on songplays.song_id = songs.song_id
where
    songplays.log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
    and songplays.song_id is not null
    and songs.song_id is null
