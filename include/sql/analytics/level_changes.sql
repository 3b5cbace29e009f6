-- question: How many users upgrade to paid, and how many downgrade to free, on each day (UTC)?
-- note: An upgrade is an event at level paid after an event of the same user at level free,
-- note: whatever the page. A downgrade is the reverse. Days without either are left out.
-- bar: upgrades
{% import "macros/events.sql" as events %}
with

deliveries as (

    {{ events.delivered_events() }}

),

levels as (

    select
        ts,
        level,
        lag(level) over (
            partition by user_id
            order by
                ts,
                item_in_session nulls first,
                session_id nulls first
        ) as level_before
    from deliveries
    where
        delivery = 1
        and user_id is not null
        and ts is not null
        and level in ('free', 'paid')

),

changes as (

    select
        trunc({{ events.start_time() }}) as day,
        level
    from levels
    where level <> level_before

)

select
    day,
    count(case when level = 'paid' then 1 end) as upgrades,
    count(case when level = 'free' then 1 end) as downgrades
from changes
group by day
order by day
