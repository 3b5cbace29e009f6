-- name: songplays.match_rate_is_usual
-- severity: warn
-- proves: plays are matched with songs at least half as often as in the week before
{#- No opinion where it may be chance: twenty expected matches are hardly ever less than ten. #}
with

plays as (

    select
        song_id,
        case
            when start_time >= cast('{{ log_dates.first }}' as timestamp) then 1
            else 0
        end as is_of_dates
    from songplays
    where
        start_time >= dateadd(day, -7, cast('{{ log_dates.first }}' as timestamp))
        and start_time < dateadd(day, 1, cast('{{ log_dates.last }}' as timestamp))

),

rates as (

    select
        is_of_dates,
        count(*) as play_count,
        count(song_id) as match_count
    from plays
    group by is_of_dates

)

select
    rates.play_count,
    rates.match_count,
    rates.play_count * usual.match_count / usual.play_count as usual_match_count
from rates
inner join rates as usual
    on rates.is_of_dates = 1 and usual.is_of_dates = 0
where
    rates.play_count * usual.match_count >= usual.play_count * 20
    and rates.match_count * usual.play_count * 2
    < rates.play_count * usual.match_count
