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
