-- name: songplays.user_is_in_users
-- severity: error
-- proves: every user of the log dates' plays and events has a row in users
{% import "macros/loads.sql" as loads %}
{#- The users of a date that another run is yet to load are for that run to judge. #}
with

on_the_way as (

    {{ loads.dates_on_the_way('users', log_dates) }}

),

seen as (

    select
        user_id,
        log_date
    from songplays
    where log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'

    union

    select
        user_id,
        log_date
    from staging_events
    where log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'

)

select distinct seen.user_id
from seen
left join users
    on seen.user_id = users.user_id
where
    seen.user_id is not null
    and users.user_id is null
    and seen.log_date not in (select log_date from on_the_way)
