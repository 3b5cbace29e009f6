-- name: users.level_is_known
-- severity: error
-- proves: every user's level is free or paid
select
    user_id,
    level
from users
where level is null or level not in ('free', 'paid')
