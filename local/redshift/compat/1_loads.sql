create schema if not exists redshift_compat;
grant usage on schema redshift_compat to public;
set local search_path to redshift_compat, pg_catalog;

create sequence if not exists query_id start 100;

create table if not exists loads (
    query_id bigint primary key,
    user_id bigint,
    transaction_id bigint,
    session_id integer,
    status text,
    table_name text,
    start_time timestamp,
    end_time timestamp,
    data_source text,
    file_format text,
    loaded_rows bigint,
    loaded_bytes bigint,
    source_file_count integer,
    error_count bigint
);
create table if not exists load_errors (
    entry bigint generated always as identity,
    query_id bigint,
    user_id bigint,
    transaction_id bigint,
    session_id integer,
    table_id bigint,
    start_time timestamp,
    file_name text,
    line_number bigint,
    column_name text,
    column_type text,
    column_length text,
    position integer,
    raw_line text,
    raw_field_value text,
    error_code integer,
    error_message text
);
create index if not exists load_errors_query_id on load_errors (query_id);
