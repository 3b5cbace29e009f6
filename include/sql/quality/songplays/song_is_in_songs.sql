-- name: songplays.song_is_in_songs
-- severity: error
-- proves: every matched song of the log dates' plays has its row in songs
{% import "macros/loads.sql" as loads %}
{#- What a catalogue brings that another run is yet to load is for that run to judge. #}
with

on_the_way as (

    {{ loads.on_the_way('staging_songs', 'songs', log_dates) }}

),

arriving as (

    select song_id
    from staging_songs
    where (select count(*) from on_the_way) > 0

)

select
    songplays.songplay_id,
    songplays.song_id
from songplays
left join songs
    on songplays.song_id = songs.song_id
left join arriving
    on songplays.song_id = arriving.song_id
left join songplays_pending
    on songplays.songplay_id = songplays_pending.songplay_id
where
    songplays.log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
    and songplays.song_id is not null
    and songs.song_id is null
    and arriving.song_id is null
    and songplays_pending.songplay_id is null
