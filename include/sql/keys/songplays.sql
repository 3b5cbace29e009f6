{% import "macros/events.sql" as events %}
with

identities as (

    select
        session_id,
        item_in_session,
        ts,
        user_id
    from staging_events
    where log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'

    union

    select
        session_id,
        item_in_session,
        ts,
        user_id
    from songplays_queue
    where log_date is null

)

select
    {{ events.songplay_id() }} as songplay_id,
    {{ events.start_time() }} as start_time,
    ts
from identities
