{% import "macros/events.sql" as events %}
with

touched as (

    {{ events.touched(log_dates) }}

)

select
    {{ events.songplay_id() }} as songplay_id,
    {{ events.start_time() }} as start_time
from touched
