{% import "macros/events.sql" as events %}
{#- Where the log dates' events lie, and with a day on either side their plays. -#}
with

of_dates as (

    select
        min(ts) as first_ts,
        max(ts) as last_ts
    from staging_events
    where
        log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
        and {{ events.has_a_time() }}

)

select
    cast(first_ts as varchar(64)) as first_ts,
    cast(last_ts as varchar(64)) as last_ts,
    cast(dateadd(day, -1, {{ events.start_time("first_ts") }}) as varchar(64)) as first_start_time,
    cast(dateadd(day, 1, {{ events.start_time("last_ts") }}) as varchar(64)) as last_start_time
from of_dates
