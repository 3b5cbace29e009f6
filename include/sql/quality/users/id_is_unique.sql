-- name: users.id_is_unique
-- severity: error
-- proves: a user of the log dates' events is one row of users
{% import "macros/checks.sql" as checks %}
{{ checks.unique("users", "user_id", checks.users_of(log_dates)) }}
