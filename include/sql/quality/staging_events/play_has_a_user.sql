-- name: staging_events.play_has_a_user
-- severity: warn
-- proves: every play is of a signed-in user
select
    log_date,
    session_id,
    item_in_session,
    ts
from staging_events
where
    log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
    and page = 'NextSong'
    and user_id is null
