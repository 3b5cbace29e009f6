-- question: How many users upgrade to paid, and how many downgrade to free, on each day (UTC)?
-- note: An upgrade is an event at level paid after an event of the same user at level free,
-- note: whatever the page. A downgrade is the reverse. Days without either are left out,
-- note: and so are days before the first loaded log date or after the last.
-- bar: upgrades
{% import "macros/events.sql" as events %}
{% import "macros/spans.sql" as spans %}
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
        and {{ events.has_a_time() }}
        and level in ('free', 'paid')

),

changes as (

    select
        trunc({{ events.start_time() }}) as day,
        level
    from levels
    where level <> level_before

),

loaded as (

    {{ spans.loaded_span() }}

)

select
    day,
    count(case when level = 'paid' then 1 end) as upgrades,
    count(case when level = 'free' then 1 end) as downgrades
from changes
cross join loaded
where
    changes.day >= loaded.begins_at
    and changes.day < loaded.ends_at
group by day
order by day
