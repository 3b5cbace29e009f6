-- question: From which ten places are the most songs played?
-- bar: plays
select
    rtrim(location) as location,
    count(*) as plays,
    count(distinct user_id) as listeners
from songplays
where rtrim(location) <> ''
group by rtrim(location)
order by plays desc, location asc
limit 10
