-- name: songplays.user_is_in_users
-- severity: error
-- proves: every user of the log dates' plays has a row in users
select
    songplays.songplay_id,
    songplays.user_id
from songplays
left join users
    on songplays.user_id = users.user_id
where
    songplays.log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
    and songplays.user_id is not null
    and users.user_id is null
