{#- Whether a delivery of a song is of the star: it has a title, an artist and a duration above 0. -#}
{%- macro is_of_the_star() -%}
rtrim(title) <> ''
        and rtrim(artist_id) <> ''
        and duration > 0
{%- endmacro -%}

{#- One row a song: of several deliveries the first in this order counts. -#}
{%- macro delivered_songs() -%}
select
        song_id,
        title,
        artist_id,
        artist_name,
        artist_location,
        artist_latitude,
        artist_longitude,
        duration,
        year,
        row_number() over (
            partition by song_id
            order by
                num_songs nulls last,
                artist_id nulls last,
                artist_latitude nulls last,
                artist_longitude nulls last,
                artist_location nulls last,
                artist_name nulls last,
                title nulls last,
                duration nulls last,
                year nulls last
        ) as delivery
    from staging_songs
    where
        song_id is not null
        and {{ is_of_the_star() }}
{%- endmacro -%}
