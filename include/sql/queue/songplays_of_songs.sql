{% import "macros/songs.sql" as songs %}
{#- A play says its song's length, title and artist. The length is a number, so it can stand here as
    a literal: of all plays one narrow column is read, and the others of what is left. -#}
with

versions as (

    {{ songs.changed() }}

),

changed_songs as (

    select distinct
        rtrim(title) as title,
        rtrim(artist_name) as artist_name,
        duration
    from versions

),

plays as (

    select
        session_id,
        item_in_session,
        ts,
        user_id,
        song,
        artist,
        length
    from staging_events
    where
        page = 'NextSong'
        and {{ bounds.length }}

)

select distinct
    plays.session_id,
    plays.item_in_session,
    plays.ts,
    plays.user_id
from plays
inner join changed_songs
    on
        rtrim(plays.song) = changed_songs.title
        and rtrim(plays.artist) = changed_songs.artist_name
        and plays.length = changed_songs.duration
