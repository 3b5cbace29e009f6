{% import "macros/songs.sql" as songs %}
with

candidates as (

    select distinct song_id
    from staging_songs
    where artist_id in (select artist_id from keys)

),

artist_songs as (

    {{ songs.delivered("candidates") }}

),

names as (

    select
        artist_id,
        artist_name as name,
        row_number() over (
            partition by artist_id
            order by year desc nulls last, song_id asc
        ) as choice
    from artist_songs
    where rtrim(artist_name) <> ''

),

locations as (

    select
        artist_id,
        artist_location as location,
        row_number() over (
            partition by artist_id
            order by year desc nulls last, song_id asc
        ) as choice
    from artist_songs
    where rtrim(artist_location) <> ''

),

coordinates as (

    select
        artist_id,
        artist_latitude as latitude,
        artist_longitude as longitude,
        row_number() over (
            partition by artist_id
            order by year desc nulls last, song_id asc
        ) as choice
    from artist_songs
    where artist_latitude is not null and artist_longitude is not null

),

artist_ids as (

    select distinct artist_id
    from artist_songs
    where artist_id in (select artist_id from keys)

)

select
    artist_ids.artist_id,
    names.name,
    locations.location,
    coordinates.latitude,
    coordinates.longitude
from artist_ids
left join names
    on artist_ids.artist_id = names.artist_id and names.choice = 1
left join locations
    on artist_ids.artist_id = locations.artist_id and locations.choice = 1
left join coordinates
    on artist_ids.artist_id = coordinates.artist_id and coordinates.choice = 1
