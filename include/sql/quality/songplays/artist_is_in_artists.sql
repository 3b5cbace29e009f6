-- name: songplays.artist_is_in_artists
-- severity: error
-- proves: every matched artist of the log dates' plays has its row in artists
{% import "macros/loads.sql" as loads %}
{#- What a catalogue brings that another run is yet to load is for that run to judge. #}
with

on_the_way as (

    {{ loads.on_the_way('staging_songs', 'artists', log_dates) }}

),

arriving as (

    select artist_id
    from staging_songs
    where (select count(*) from on_the_way) > 0

)

select
    songplays.songplay_id,
    songplays.artist_id
from songplays
left join artists
    on songplays.artist_id = artists.artist_id
left join arriving
    on songplays.artist_id = arriving.artist_id
left join songplays_pending
    on songplays.songplay_id = songplays_pending.songplay_id
where
    songplays.log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
    and songplays.artist_id is not null
    and artists.artist_id is null
    and arriving.artist_id is null
    and songplays_pending.songplay_id is null
