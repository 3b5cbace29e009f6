{% import "macros/events.sql" as events %}
with

gone as (

    select
        session_id,
        item_in_session,
        ts,
        user_id
    from outgoing

    except

    select
        session_id,
        item_in_session,
        ts,
        user_id
    from incoming

)

select
    {{ events.songplay_id() }} as songplay_id,
    session_id,
    item_in_session,
    ts,
    user_id
from gone
