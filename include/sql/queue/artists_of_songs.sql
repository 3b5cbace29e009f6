{#- When a song changes, another delivery of it may count, with another artist. -#}
with

changed as (

    select
        song_id,
        artist_id
    from added

    union

    select
        song_id,
        artist_id
    from removed

)

select artist_id
from changed
where artist_id is not null

union

select staging_songs.artist_id
from staging_songs
inner join changed
    on staging_songs.song_id = changed.song_id
where staging_songs.artist_id is not null
