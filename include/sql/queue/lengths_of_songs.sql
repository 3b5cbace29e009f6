{% import "macros/songs.sql" as songs %}
with

versions as (

    {{ songs.changed() }}

)

select cast(duration as varchar(64)) as length
from (
    select distinct duration
    from versions
) as durations
where duration is not null
order by duration
