-- name: songplays.user_is_in_users
-- severity: error
-- proves: every user of the log dates' plays and events has a row in users
with

queued_dates as (

    select log_date
    from users_queue
    where log_date is not null

),

seen as (

    select
        user_id,
        log_date
    from songplays
    where
        log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
        and {{ bounds.start_time }}

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
left join users_queue
    on seen.user_id = users_queue.user_id
where
    seen.user_id is not null
    and users.user_id is null
    and users_queue.user_id is null
    and seen.log_date not in (select log_date from queued_dates)
