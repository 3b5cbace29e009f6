-- name: staging_events.status_is_known
-- severity: warn
-- proves: every event was answered by 200, 307 or 404
{% import "macros/checks.sql" as checks %}
{{ checks.accepted_values("status", [200, 307, 404], checks.events_of(log_dates)) }}
