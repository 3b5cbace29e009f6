{% import "macros/songs.sql" as songs %}
with

delivered_songs as (

    {{ songs.delivered("keys") }}

)

select
    song_id,
    title,
    artist_id,
    year,
    duration
from delivered_songs
