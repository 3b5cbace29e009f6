{#- A queued user has no ts here: such a user is worked out from all of history. -#}
select
    user_id,
    ts
from staging_events
where
    log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
    and user_id is not null

union all

select
    user_id,
    cast(null as bigint) as ts
from users_queue
where user_id is not null
