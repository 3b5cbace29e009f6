-- name: users.level_is_the_latest
-- severity: error
-- proves: a user's level is that of the user's latest event
{% import "macros/events.sql" as events %}
{% import "macros/loads.sql" as loads %}
{#- A row of a later event is for the run of that event's date to judge: it may be loading now;
    so is what another run has staged and not yet loaded. #}
with

on_the_way as (

    {{ loads.dates_on_the_way('users', log_dates) }}

),

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

span as (

    select
        min(latest_ts) as earliest,
        max(latest_ts) as latest
    from latest_times

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
    where
        ts between (select earliest from span) and (select latest from span)

),

unsettled as (

    select user_id
    from latest_first
    where log_date in (select log_date from on_the_way)

    union

    select user_id
    from users_pending

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
left join unsettled
    on latest_first.user_id = unsettled.user_id
where
    latest_first.recency = 1
    and unsettled.user_id is null
    and (
        users.last_seen_at is null
        or users.last_seen_at < latest_first.seen_at
        or (
            users.last_seen_at = latest_first.seen_at
            and coalesce(users.level, '') <> coalesce(latest_first.level, '')
        )
    )
