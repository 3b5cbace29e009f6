-- question: How many songs do users of each level and gender play?
-- note: The level is that of the moment of the play, the gender that of the user's latest event.
-- bar: plays
select
    songplays.level,
    users.gender,
    count(*) as plays,
    count(distinct songplays.user_id) as listeners
from songplays
left join users
    on songplays.user_id = users.user_id
group by songplays.level, users.gender
order by plays desc, songplays.level asc, users.gender asc
