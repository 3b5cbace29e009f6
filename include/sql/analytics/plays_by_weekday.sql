-- question: On which days of the week are songs played?
-- bar: plays
select
    case time.weekday
        when 0 then 'Monday'
        when 1 then 'Tuesday'
        when 2 then 'Wednesday'
        when 3 then 'Thursday'
        when 4 then 'Friday'
        when 5 then 'Saturday'
        when 6 then 'Sunday'
    end as weekday,
    count(*) as plays
from songplays
inner join time
    on songplays.start_time = time.start_time
group by time.weekday
order by time.weekday
