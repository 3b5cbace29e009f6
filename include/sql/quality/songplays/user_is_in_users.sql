-- name: songplays.user_is_in_users
-- severity: error
-- proves: every user of the log dates' plays and events has a row in users
with

seen as (

    select user_id
    from songplays
    where log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'

    union

    select user_id
    from staging_events
    where log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'

)

select seen.user_id
from seen
left join users
    on seen.user_id = users.user_id
where seen.user_id is not null and users.user_id is null
