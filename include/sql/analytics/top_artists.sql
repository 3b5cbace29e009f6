-- question: Which ten artists are played most?
-- note: Counts every play, by the artist's name in its event, in the catalogue or not.
-- bar: plays
{% import "macros/events.sql" as events %}
with

deliveries as (

    {{ events.delivered_events() }}

)

select
    rtrim(artist) as artist,
    count(*) as plays,
    count(distinct user_id) as listeners
from deliveries
where
    delivery = 1
    and page = 'NextSong'
    and rtrim(artist) <> ''
group by rtrim(artist)
order by plays desc, artist asc
limit 10
