{% import "macros/events.sql" as events %}
{#- The dates' plays stand in staging too, where the date bounds what is read. -#}
select {{ events.start_time() }} as start_time
from staging_events
where
    log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
    and page = 'NextSong'
    and ts is not null

union

select start_time
from time_queue
where start_time is not null
