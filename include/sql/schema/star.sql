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
