{% import "macros/events.sql" as events %}
{% import "macros/songs.sql" as songs %}
with

touched as (

    {{ events.touched(log_dates) }}

),

touched_ids as (

    select {{ events.songplay_id() }} as songplay_id
    from touched

),

candidates as (

    select *
    from staging_events
    where
        ts between (select min(ts) from touched) and (select max(ts) from touched)
        and ts in (select ts from touched)

    union all

    select *
    from staging_events
    where ts is null

),

identified as (

    select
        *,
        {{ events.songplay_id() }} as songplay_id
    from candidates

),

deliveries as (

    select
        *,
        row_number() over (
            partition by songplay_id
            order by
                {{ events.delivery_order() }}
        ) as delivery
    from identified

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
    from deliveries
    where
        delivery = 1
        and page = 'NextSong'
        and songplay_id in (select songplay_id from touched_ids)

),

delivered_songs as (

    {{ songs.delivered_songs() }}

),

matches as (

    select
        song_id,
        artist_id,
        rtrim(title) as title,
        rtrim(artist_name) as artist_name,
        duration,
        row_number() over (
            partition by rtrim(title), rtrim(artist_name), duration
            order by song_id
        ) as choice
    from delivered_songs
    where delivery = 1

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
        and matches.choice = 1
