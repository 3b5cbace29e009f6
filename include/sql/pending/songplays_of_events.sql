{% import "macros/events.sql" as events %}
with

gone as (

    {{ events.gone() }}

)

select
    {{ events.songplay_id() }} as songplay_id,
    session_id,
    item_in_session,
    ts,
    user_id
from gone
