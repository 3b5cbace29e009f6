-- question: How many songs are played on each day (UTC), and by how many users?
-- note: Days before the first loaded log date or after the last are left out.
-- bar: plays
{% import "macros/spans.sql" as spans %}
with

loaded as (

    {{ spans.loaded_span() }}

)

select
    trunc(start_time) as day,
    count(*) as plays,
    count(distinct user_id) as active_users
from songplays
cross join loaded
where
    start_time >= begins_at
    and start_time < ends_at
group by trunc(start_time)
order by day
