-- question: With which browsers, and on which platforms, do users play songs?
-- note: A user who plays with two of them counts under both.
-- bar: users
{% import "macros/user_agents.sql" as user_agents %}
with

plays as (

    select
        user_id,
        {{ user_agents.browser("user_agent") }} as browser,
        {{ user_agents.platform("user_agent") }} as platform
    from songplays

)

select
    browser,
    platform,
    count(distinct user_id) as users,
    count(*) as plays
from plays
group by browser, platform
order by users desc, plays desc, browser asc, platform asc
