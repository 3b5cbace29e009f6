-- name: staging_events.identity_is_complete
-- severity: error
-- proves: every event has a session, a place in it and a time
{% import "macros/checks.sql" as checks %}
{{ checks.required(
    "staging_events",
    ["log_date", "session_id", "item_in_session", "ts", "user_id", "page"],
    ["session_id", "item_in_session", "ts"],
    checks.events_of(log_dates)
) }}
