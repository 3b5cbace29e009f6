-- question: At which hours of the day (UTC) are songs played?
-- bar: plays
select
    time.hour,
    count(*) as plays
from songplays
inner join time
    on songplays.start_time = time.start_time
group by time.hour
order by time.hour
