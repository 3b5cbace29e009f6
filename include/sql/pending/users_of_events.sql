{% import "macros/events.sql" as events %}
with

gone as (

    {{ events.gone() }}

)

select distinct user_id
from gone
where user_id is not null
