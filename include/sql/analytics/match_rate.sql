-- question: What share of each month's plays is of a song in the catalogue?
-- bar: matched_percent
select
    to_char(start_time, 'YYYY-MM') as month,
    count(*) as plays,
    count(song_id) as matched,
    100 * cast(count(song_id) as double precision) / count(*)
        as matched_percent
from songplays
where start_time is not null
group by to_char(start_time, 'YYYY-MM')
order by month
