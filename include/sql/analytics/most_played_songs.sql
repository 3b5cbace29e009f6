-- question: Which ten songs are played most?
-- note: Counts every play, by the title and artist that its event names. Matched are those
-- note: whose song is in the catalogue.
-- bar: plays
{% import "macros/events.sql" as events %}
with

deliveries as (

    {{ events.delivered_events() }}

),

plays as (

    select
        {{ events.songplay_id() }} as songplay_id,
        rtrim(song) as title,
        rtrim(artist) as artist
    from deliveries
    where
        delivery = 1
        and page = 'NextSong'
        and rtrim(song) <> ''

)

select
    plays.title,
    plays.artist,
    count(*) as plays,
    count(songplays.song_id) as matched
from plays
inner join songplays
    on plays.songplay_id = songplays.songplay_id
group by plays.title, plays.artist
order by plays desc, plays.title asc, plays.artist asc
limit 10
