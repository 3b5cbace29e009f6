-- question: What share of each month's plays is of a song in the catalogue?
-- note: Days before the first loaded log date or after the last are left out.
-- bar: matched_percent
{% import "macros/spans.sql" as spans %}
with

loaded as (

    {{ spans.loaded_span() }}

)

select
    to_char(start_time, 'YYYY-MM') as month,
    count(*) as plays,
    count(song_id) as matched,
    100 * cast(count(song_id) as double precision) / count(*)
        as matched_percent
from songplays
cross join loaded
where
    start_time >= begins_at
    and start_time < ends_at
group by to_char(start_time, 'YYYY-MM')
order by month
