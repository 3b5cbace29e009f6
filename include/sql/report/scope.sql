with

dates as (

    select
        min(log_date) as first_log_date,
        max(log_date) as last_log_date,
        count(*) as log_dates
    from staged_dates
    where table_name = 'staging_events'

),

plays as (

    select
        count(*) as plays,
        count(song_id) as matched,
        count(distinct user_id) as listeners
    from songplays

)

select
    dates.first_log_date,
    dates.last_log_date,
    dates.log_dates,
    plays.plays,
    plays.matched,
    plays.listeners
from dates
cross join plays
