{% import "macros/events.sql" as events %}
{% import "macros/songs.sql" as songs %}
with

identified as (

    select
        *,
        {{ events.songplay_id() }} as songplay_id
    from staging_events
    where
        {{ bounds.ts }}
        and ts in (select ts from keys)

    union all

    select
        *,
        {{ events.songplay_id() }} as songplay_id
    from staging_events
    where ts is null and {{ bounds.ts_is_missing }}

),

winners as (

    {{ events.winners("identified", [
        "songplay_id", "page", "ts", "user_id", "level", "song", "artist", "length", "session_id", "location",
        "user_agent", "log_date"
    ]) }}

),

plays as (

    select
        songplay_id,
        {{ events.start_time() }} as start_time,
        user_id,
        level,
        rtrim(song) as title,
        rtrim(artist) as artist_name,
        length as duration,
        session_id,
        location,
        user_agent,
        log_date
    from winners
    where
        page = 'NextSong'
        and songplay_id in (select songplay_id from keys)

),

candidates as (

    select distinct staging_songs.song_id
    from staging_songs
    inner join plays
        on
            rtrim(staging_songs.title) = plays.title
            and rtrim(staging_songs.artist_name) = plays.artist_name
            and staging_songs.duration = plays.duration

),

matches as (

    {{ songs.matches("candidates") }}

)

select
    plays.songplay_id,
    plays.start_time,
    plays.user_id,
    plays.level,
    matches.song_id,
    matches.artist_id,
    plays.session_id,
    plays.location,
    plays.user_agent,
    plays.log_date
from plays
left join matches
    on
        plays.title = matches.title
        and plays.artist_name = matches.artist_name
        and plays.duration = matches.duration
