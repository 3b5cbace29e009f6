{% import "macros/user_agents.sql" as user_agents %}
{#- Every play with what is known of its user, song, artist and time; with what may name its user, or without. -#}
{%- macro wide(schema, personal) -%}
select
    songplays.songplay_id,
    songplays.start_time,
    time.hour,
    time.day,
    time.week,
    time.month,
    time.year,
    time.weekday,
    case time.weekday
        when 0 then 'Monday'
        when 1 then 'Tuesday'
        when 2 then 'Wednesday'
        when 3 then 'Thursday'
        when 4 then 'Friday'
        when 5 then 'Saturday'
        when 6 then 'Sunday'
    end as weekday_name,
    songplays.user_id,
    {%- if personal %}
    users.first_name,
    users.last_name,
    {%- endif %}
    users.gender,
    songplays.level,
    users.level as latest_level,
    songplays.song_id,
    songs.title as song_title,
    songs.year as song_year,
    songs.duration as song_duration,
    songplays.artist_id,
    artists.name as artist_name,
    artists.location as artist_location,
    songplays.session_id,
    {%- if personal %}
    songplays.location,
    songplays.user_agent,
    {%- endif %}
    {{ user_agents.browser("songplays.user_agent") }} as browser,
    {{ user_agents.platform("songplays.user_agent") }} as platform,
    songplays.log_date
from "{{ schema }}".songplays
left join "{{ schema }}".time
    on songplays.start_time = time.start_time
left join "{{ schema }}".users
    on songplays.user_id = users.user_id
left join "{{ schema }}".songs
    on songplays.song_id = songs.song_id
left join "{{ schema }}".artists
    on songplays.artist_id = artists.artist_id
{%- endmacro -%}
