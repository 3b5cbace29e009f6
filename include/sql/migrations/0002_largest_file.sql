-- The size of a date's largest file, for the check that warns of files which load slowly.
-- It is null until the date is loaded again.
-- makes: staged_dates.largest_file
alter table staged_dates add column largest_file bigint;
