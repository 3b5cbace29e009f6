create table if not exists schema_version (
    version integer not null,
    name varchar(128) not null,
    applied_at timestamp
);

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

create table if not exists staged_folders (
    table_name varchar(128) not null,
    folder varchar(1024) not null,
    files bigint not null,
    fingerprint varchar(64) not null
)
sortkey (table_name);

create table if not exists staged_files (
    table_name varchar(128) not null,
    folder varchar(1024) not null,
    file_name varchar(1024) not null,
    etag varchar(256) not null
)
compound sortkey (table_name, folder);

create table if not exists staged_dates (
    table_name varchar(128) not null,
    log_date date not null,
    files bigint not null,
    lines_read bigint not null,
    largest_file bigint
)
sortkey (log_date);

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
