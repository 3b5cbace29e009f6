-- name: staging_songs.file_was_read
-- severity: warn
-- proves: no song file was left out
select
    file_name,
    line_number,
    column_name,
    value,
    reason
from staging_rejects
where table_name = 'staging_songs'
