-- name: staging_events.time_is_within_log_date
-- severity: warn
-- proves: the events of a file happened on the date in its name
{% import "macros/events.sql" as events %}
select
    log_date,
    session_id,
    item_in_session,
    ts,
    user_id
from staging_events
where
    log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
    and {{ events.has_a_time() }}
    and ts / 86400000 <> datediff(day, cast('1970-01-01' as date), log_date)
