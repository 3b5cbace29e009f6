-- The tables of commit 7d227d0, which had none of schema_version, as its files had them.
create table if not exists load_history (
    table_name varchar(128) not null,
    first_log_date date,
    last_log_date date,
    dag_id varchar(256),
    run_id varchar(256),
    task_id varchar(256),
    try_number integer,
    files bigint,
    bytes bigint,
    rows_staged bigint,
    rows_refused bigint,
    rows_deleted bigint,
    rows_inserted bigint,
    rows_updated bigint,
    started_at timestamp,
    ended_at timestamp
)
sortkey (started_at);

create table if not exists data_quality_results (
    dag_id varchar(256),
    run_id varchar(256),
    task_id varchar(256),
    try_number integer,
    first_log_date date,
    last_log_date date,
    check_name varchar(256) not null,
    severity varchar(16) not null,
    offending bigint,
    passed boolean not null,
    sample varchar(65535),
    checked_at timestamp
)
sortkey (checked_at);

create table if not exists staged_files (
    table_name varchar(128) not null,
    file_name varchar(1024) not null,
    etag varchar(256) not null
)
sortkey (table_name);

create table if not exists staged_dates (
    table_name varchar(128) not null,
    log_date date not null,
    files bigint not null,
    lines_read bigint not null
)
sortkey (log_date);

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

create table if not exists songplays_pending (
    songplay_id varchar(32) not null,
    session_id bigint,
    item_in_session integer,
    ts bigint,
    user_id integer
);

create table if not exists users_pending (
    user_id integer not null
);

create table if not exists time_pending (
    start_time timestamp not null
);

create table if not exists staging_events (
    artist varchar(1024),
    auth varchar(64),
    first_name varchar(256),
    gender varchar(16),
    item_in_session integer,
    last_name varchar(256),
    length numeric(10, 5),
    level varchar(16),
    location varchar(512),
    method varchar(16),
    page varchar(64),
    registration double precision,
    session_id bigint,
    song varchar(1024),
    status integer,
    ts bigint,
    user_agent varchar(1024),
    user_id integer,
    log_date date
)
distkey (session_id)
compound sortkey (log_date, ts);

create table if not exists staging_songs (
    num_songs integer,
    artist_id varchar(64),
    artist_latitude double precision,
    artist_longitude double precision,
    artist_location varchar(1024),
    artist_name varchar(1024),
    song_id varchar(64),
    title varchar(1024),
    duration numeric(10, 5),
    year integer
)
distkey (song_id)
sortkey (song_id);

create table if not exists staging_rejects (
    table_name varchar(128) not null,
    log_date date,
    file_name varchar(1024) not null,
    line_number bigint,
    column_name varchar(128),
    value varchar(65535),
    reason varchar(1024),
    line varchar(65535)
)
compound sortkey (log_date, file_name);

create table if not exists staging_unknown_fields (
    table_name varchar(128) not null,
    log_date date not null,
    file_name varchar(1024) not null,
    field varchar(256) not null,
    example varchar(256)
)
compound sortkey (log_date, file_name);

create table if not exists songplays (
    songplay_id varchar(32) not null,
    start_time timestamp,
    user_id integer,
    level varchar(16),
    song_id varchar(64),
    artist_id varchar(64),
    session_id bigint,
    location varchar(512),
    user_agent varchar(1024),
    log_date date not null,
    primary key (songplay_id)
)
distkey (start_time)
sortkey (start_time);

create table if not exists users (
    user_id integer not null,
    first_name varchar(256),
    last_name varchar(256),
    gender varchar(16),
    level varchar(16),
    last_seen_at timestamp,
    primary key (user_id)
)
diststyle all
sortkey (user_id);

create table if not exists songs (
    song_id varchar(64) not null,
    title varchar(1024),
    artist_id varchar(64),
    year integer,
    duration numeric(10, 5),
    primary key (song_id)
)
distkey (song_id);

create table if not exists artists (
    artist_id varchar(64) not null,
    name varchar(1024),
    location varchar(1024),
    latitude double precision,
    longitude double precision,
    primary key (artist_id)
)
distkey (artist_id);

create table if not exists time (
    start_time timestamp not null,
    hour integer,
    day integer,
    week integer,
    month integer,
    year integer,
    weekday integer,
    primary key (start_time)
)
distkey (start_time)
sortkey (start_time);

