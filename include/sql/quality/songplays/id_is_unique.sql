-- name: songplays.id_is_unique
-- severity: error
-- proves: a play of the log dates is one row of songplays
select
    songplay_id,
    count(*) as row_count
from songplays
where log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
group by songplay_id
having count(*) > 1
