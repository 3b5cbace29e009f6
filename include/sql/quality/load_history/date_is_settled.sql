-- name: load_history.date_is_settled
-- severity: warn
-- proves: no run has staged the log dates again and is yet to load them
{% import "macros/loads.sql" as loads %}
with

coming as (

    {{ loads.on_the_way('staging_events', 'users', log_dates) }}

    union

    {{ loads.on_the_way('staging_events', 'time', log_dates) }}

)

select
    first_log_date,
    last_log_date,
    run_id,
    staged_at
from coming
where
    first_log_date <= '{{ log_dates.last }}'
    and last_log_date >= '{{ log_dates.first }}'
