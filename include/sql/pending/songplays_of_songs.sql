{% import "macros/events.sql" as events %}
with

changed_ids as (

    select song_id from (
        select * from incoming
        except
        select * from outgoing
    ) as arrived
    union
    select song_id from (
        select * from outgoing
        except
        select * from incoming
    ) as gone

),

versions as (

    select
        song_id,
        title,
        artist_name,
        duration
    from incoming
    union
    select
        song_id,
        title,
        artist_name,
        duration
    from outgoing
    union
    select
        song_id,
        title,
        artist_name,
        duration
    from staging_songs

),

changed_songs as (

    select distinct
        rtrim(title) as title,
        rtrim(artist_name) as artist_name,
        duration
    from versions
    where song_id in (select song_id from changed_ids)

),

plays as (

    select distinct
        staging_events.session_id,
        staging_events.item_in_session,
        staging_events.ts,
        staging_events.user_id
    from staging_events
    inner join changed_songs
        on
            rtrim(staging_events.song) = changed_songs.title
            and rtrim(staging_events.artist) = changed_songs.artist_name
            and staging_events.length = changed_songs.duration
    where staging_events.page = 'NextSong'

)

select
    {{ events.songplay_id() }} as songplay_id,
    session_id,
    item_in_session,
    ts,
    user_id
from plays
