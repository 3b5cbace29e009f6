-- name: users.level_is_the_latest
-- severity: error
-- proves: a user's level is that of the user's latest event
{% import "macros/events.sql" as events %}
{#- A row of a later event is for the run of that event's date to judge: it may be loading now;
    so is what is queued. #}
with

latest_times as (

    select
        user_id as latest_user_id,
        max(ts) as latest_ts
    from staging_events
    where
        log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
        and user_id is not null
        and {{ events.has_a_time() }}
    group by user_id

),

latest_first as (

    select
        user_id,
        log_date,
        level,
        {{ events.start_time() }} as seen_at,
        row_number() over (
            partition by user_id
            order by
                item_in_session desc nulls last,
                session_id desc nulls last,
                {{ events.delivery_order() }}
        ) as recency
    from staging_events
    inner join latest_times
        on user_id = latest_user_id and ts = latest_ts
    where {{ bounds.ts }}

),

queued_dates as (

    select log_date
    from users_queue
    where log_date is not null

),

queued as (

    select user_id
    from latest_first
    where log_date in (select log_date from queued_dates)

    union

    select user_id
    from users_queue
    where user_id is not null

)

select
    users.user_id,
    users.level,
    users.last_seen_at,
    latest_first.level as latest_level,
    latest_first.seen_at as latest_seen_at
from latest_first
inner join users
    on latest_first.user_id = users.user_id
left join queued
    on latest_first.user_id = queued.user_id
where
    latest_first.recency = 1
    and queued.user_id is null
    and (
        users.last_seen_at is null
        or users.last_seen_at < latest_first.seen_at
        or (
            users.last_seen_at = latest_first.seen_at
            and coalesce(users.level, '') <> coalesce(latest_first.level, '')
        )
    )
