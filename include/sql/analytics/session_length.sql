-- question: How long are the sessions of free and of paid users?
-- note: Minutes from the first event of a signed-in user's session to its last, whatever the pages.
-- note: A session counts under the level at its end.
-- bar: median_minutes
{% import "macros/events.sql" as events %}
with

deliveries as (

    {{ events.delivered_events() }}

),

signed_in as (

    select
        session_id,
        user_id,
        ts,
        level,
        row_number() over (
            partition by session_id, user_id
            order by ts desc, item_in_session desc nulls last
        ) as from_the_end
    from deliveries
    where
        delivery = 1
        and session_id is not null
        and user_id is not null
        and {{ events.has_a_time() }}

),

sessions as (

    select
        max(case when from_the_end = 1 then level end) as level,
        max(ts) - min(ts) as milliseconds
    from signed_in
    group by session_id, user_id

)

select
    level,
    count(*) as sessions,
    median(cast(milliseconds as double precision)) / 60000 as median_minutes,
    cast(sum(milliseconds) as double precision) / count(*) / 60000
        as mean_minutes
from sessions
group by level
order by level
