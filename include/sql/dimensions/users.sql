{% import "macros/events.sql" as events %}
with

touched as (

    select
        user_id,
        ts
    from staging_events
    where
        log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
        and user_id is not null

    union all

    select
        staging_events.user_id,
        staging_events.ts
    from staging_events
    inner join users_pending
        on staging_events.user_id = users_pending.user_id

),

latest_first as (

    select
        user_id,
        first_name,
        last_name,
        gender,
        level,
        {{ events.start_time() }} as last_seen_at,
        row_number() over (
            partition by user_id
            order by
                {{ events.start_time() }} desc nulls last,
                item_in_session desc nulls last,
                session_id desc nulls last,
                {{ events.delivery_order() }}
        ) as recency
    from staging_events
    where
        user_id in (select user_id from touched)
        and (
            ts between (select min(ts) from touched) and (select max(ts) from touched)
            or ts is null
        )

)

select
    user_id,
    first_name,
    last_name,
    gender,
    level,
    last_seen_at
from latest_first
where recency = 1
