-- name: users.id_is_unique
-- severity: error
-- proves: a user is one row of users
select
    user_id,
    count(*) as row_count
from users
group by user_id
having count(*) > 1
