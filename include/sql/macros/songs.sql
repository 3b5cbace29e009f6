{#- Whether a delivery of a song is of the star: it has a title, an artist and a duration above 0. -#}
{%- macro is_of_the_star() -%}
rtrim(title) <> ''
            and rtrim(artist_id) <> ''
            and duration > 0
{%- endmacro -%}

{#- The songs of these ids, one row each: of several deliveries the first in this order counts. -#}
{%- macro delivered(ids) -%}
select
        song_id,
        title,
        artist_id,
        artist_name,
        artist_location,
        artist_latitude,
        artist_longitude,
        duration,
        year
    from (
        select
            *,
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
            song_id in (select song_id from {{ ids }})
            and {{ is_of_the_star() }}
    ) as deliveries
    where delivery = 1
{%- endmacro -%}

{#- Of the songs of these ids, the one that plays of its title, artist and duration match: the smallest song_id. -#}
{%- macro matches(ids) -%}
select
        song_id,
        artist_id,
        title,
        artist_name,
        duration
    from (
        select
            delivered_songs.song_id,
            delivered_songs.artist_id,
            rtrim(delivered_songs.title) as title,
            rtrim(delivered_songs.artist_name) as artist_name,
            delivered_songs.duration,
            row_number() over (
                partition by
                    rtrim(delivered_songs.title),
                    rtrim(delivered_songs.artist_name),
                    delivered_songs.duration
                order by delivered_songs.song_id
            ) as choice
        from (
    {{ delivered(ids) }}
        ) as delivered_songs
    ) as choices
    where choice = 1
{%- endmacro -%}

{#- The titles, artists and durations that songs have which changed, and those of their other deliveries. -#}
{%- macro changed() -%}
select
        title,
        artist_name,
        duration
    from added

    union

    select
        staging_songs.title,
        staging_songs.artist_name,
        staging_songs.duration
    from staging_songs
    inner join (
        select song_id
        from added

        union

        select song_id
        from removed
    ) as changed_ids
        on staging_songs.song_id = changed_ids.song_id
{%- endmacro -%}
