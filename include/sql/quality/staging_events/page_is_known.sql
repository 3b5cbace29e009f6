-- name: staging_events.page_is_known
-- severity: warn
-- proves: every page is a known one
select
    log_date,
    page,
    count(*) as event_count
from staging_events
where
    log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
    and page not in (
        'About',
        'Downgrade',
        'Error',
        'Help',
        'Home',
        'Login',
        'Logout',
        'NextSong',
        'Save Settings',
        'Settings',
        'Submit Downgrade',
        'Submit Upgrade',
        'Upgrade'
    )
group by log_date, page
