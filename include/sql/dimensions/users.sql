{% import "macros/events.sql" as events %}
with

candidates as (

    select *
    from staging_events
    where
        {{ bounds.ts }}
        and user_id in (
            select user_id
            from keys
            where ts is not null
        )

    union all

    select *
    from staging_events
    where
        user_id in (
            select user_id
            from keys
            where ts is null
        )
        and {{ bounds.ts_is_missing }}

),

latest_times as (

    select
        user_id as latest_user_id,
        max({{ events.known_ts() }}) as latest_ts
    from candidates
    group by user_id

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
                item_in_session desc nulls last,
                session_id desc nulls last,
                {{ events.delivery_order() }}
        ) as recency
    from candidates
    inner join latest_times
        on
            candidates.user_id = latest_times.latest_user_id
            and {{ events.known_ts() }} = latest_times.latest_ts

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
