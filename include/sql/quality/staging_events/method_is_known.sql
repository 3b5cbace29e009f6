-- name: staging_events.method_is_known
-- severity: warn
-- proves: every event came by GET or PUT
{% import "macros/checks.sql" as checks %}
{{ checks.accepted_values("method", ["'GET'", "'PUT'"], checks.events_of(log_dates)) }}
