-- name: staging_events.page_is_present
-- severity: error
-- proves: every event says on which page it happened
{% import "macros/checks.sql" as checks %}
{{ checks.required(
    "staging_events", ["log_date", "session_id", "item_in_session", "ts"], ["page"], checks.events_of(log_dates)
) }}
