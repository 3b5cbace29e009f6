with

changed_ids as (

    select song_id
    from added

    union

    select song_id
    from removed

),

versions as (

    select
        song_id,
        title,
        artist_name,
        duration
    from added

    union

    select
        staging_songs.song_id,
        staging_songs.title,
        staging_songs.artist_name,
        staging_songs.duration
    from staging_songs
    inner join changed_ids
        on staging_songs.song_id = changed_ids.song_id

),

changed_songs as (

    select distinct
        rtrim(title) as title,
        rtrim(artist_name) as artist_name,
        duration
    from versions

)

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
