-- name: songplays.play_is_loaded_once
-- severity: error
-- proves: every event with page NextSong of the log dates is one row of songplays, and no other is
{% import "macros/events.sql" as events %}
{#- What another run has staged and not yet loaded is queued, and for that run to judge. #}
with

queued_dates as (

    select log_date
    from songplays_queue
    where log_date is not null

),

ids_of_dates as (

    select distinct {{ events.songplay_id() }} as songplay_id
    from staging_events
    where log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'

),

identified as (

    select
        *,
        {{ events.songplay_id() }} as songplay_id
    from staging_events
    where {{ bounds.ts }}

),

winners as (

    {{ events.winners("identified", ["songplay_id", "page"]) }}

),

expected as (

    select winners.songplay_id
    from winners
    inner join ids_of_dates
        on winners.songplay_id = ids_of_dates.songplay_id
    where winners.page = 'NextSong'

),

loaded as (

    select
        songplays.songplay_id,
        ids_of_dates.songplay_id as id_of_dates,
        case
            when
                songplays.log_date
                between '{{ log_dates.first }}' and '{{ log_dates.last }}'
                then 1
            else 0
        end as is_of_dates
    from songplays
    left join ids_of_dates
        on songplays.songplay_id = ids_of_dates.songplay_id
    where {{ bounds.start_time }}

),

differences as (

    select
        expected.songplay_id as only_staged,
        loaded.songplay_id as only_loaded,
        coalesce(expected.songplay_id, loaded.songplay_id) as songplay_id
    from expected
    full outer join loaded
        on expected.songplay_id = loaded.songplay_id
    where
        loaded.songplay_id is null
        or (
            expected.songplay_id is null
            and (loaded.is_of_dates = 1 or loaded.id_of_dates is not null)
        )

),

queued as (

    select songplay_id
    from identified
    where log_date in (select log_date from queued_dates)

    union

    select {{ events.songplay_id() }} as songplay_id
    from songplays_queue
    where log_date is null

)

select
    differences.only_staged,
    differences.only_loaded
from differences
left join queued
    on differences.songplay_id = queued.songplay_id
where queued.songplay_id is null
