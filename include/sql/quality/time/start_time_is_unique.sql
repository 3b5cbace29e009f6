-- severity: error
-- proves: a start time of the log dates' plays is one row of time
select
    time.start_time,
    count(*) as row_count
from time
where
    time.start_time in (
        select songplays.start_time
        from songplays
        where songplays.log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
    )
group by time.start_time
having count(*) > 1
