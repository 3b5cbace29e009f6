create table if not exists mutex_artists (
    held boolean
);

create table if not exists mutex_data_quality_results (
    held boolean
);

create table if not exists mutex_songplays (
    held boolean
);

create table if not exists mutex_songs (
    held boolean
);

create table if not exists mutex_staging_events (
    held boolean
);

create table if not exists mutex_staging_songs (
    held boolean
);

create table if not exists mutex_time (
    held boolean
);

create table if not exists mutex_users (
    held boolean
);
