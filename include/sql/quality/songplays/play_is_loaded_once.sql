-- name: songplays.play_is_loaded_once
-- severity: error
-- proves: every event with page NextSong of the log dates is one row of songplays, and no other is
{% import "macros/events.sql" as events %}
{% import "macros/loads.sql" as loads %}
{#- What another run has staged and not yet loaded is for that run to judge. #}
with

on_the_way as (

    {{ loads.dates_on_the_way('songplays', log_dates) }}

),

of_dates as (

    select
        session_id,
        item_in_session,
        ts,
        user_id
    from staging_events
    where log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'

),

ids_of_dates as (

    select {{ events.songplay_id() }} as songplay_id
    from of_dates

),

deliveries as (

    select
        log_date,
        page,
        {{ events.songplay_id() }} as songplay_id,
        row_number() over (
            partition by session_id, item_in_session, ts, user_id
            order by
                {{ events.delivery_order() }}
        ) as delivery
    from staging_events
    where
        ts between (select min(ts) from of_dates) and (select max(ts) from of_dates)
        or ts is null

),

expected as (

    select songplay_id
    from deliveries
    where
        delivery = 1
        and page = 'NextSong'
        and songplay_id in (select songplay_id from ids_of_dates)

),

unsettled as (

    select songplay_id
    from deliveries
    where log_date in (select log_date from on_the_way)

    union

    select songplay_id
    from songplays_pending

),

near as (

    select
        min({{ events.start_time() }}) as earliest,
        max({{ events.start_time() }}) as latest
    from of_dates

),

loaded as (

    select
        songplay_id,
        log_date
    from songplays
    where log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'

    union

    select
        songplay_id,
        log_date
    from songplays
    where
        start_time >= (select earliest from near)
        and start_time <= (select latest from near)

    union

    select
        songplay_id,
        log_date
    from songplays
    where start_time is null

)

select
    expected.songplay_id as only_staged,
    loaded.songplay_id as only_loaded
from expected
full outer join loaded
    on expected.songplay_id = loaded.songplay_id
left join unsettled
    on coalesce(expected.songplay_id, loaded.songplay_id) = unsettled.songplay_id
where
    unsettled.songplay_id is null
    and (
        loaded.songplay_id is null
        or (
            expected.songplay_id is null
            and (
                loaded.log_date
                between '{{ log_dates.first }}' and '{{ log_dates.last }}'
                or loaded.songplay_id in (select songplay_id from ids_of_dates)
            )
        )
    )
