-- question: How many songs are played on each day (UTC), and by how many users?
-- bar: plays
select
    trunc(start_time) as day,
    count(*) as plays,
    count(distinct user_id) as active_users
from songplays
where start_time is not null
group by trunc(start_time)
order by day
