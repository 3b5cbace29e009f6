create schema if not exists redshift_compat;
grant usage on schema redshift_compat to public;
set local search_path to redshift_compat, pg_catalog;

create sequence if not exists query_id start 100;

create table if not exists loads (
    query_id bigint primary key, user_id bigint, transaction_id bigint, session_id integer, status text, table_name text,
    start_time timestamp, end_time timestamp, data_source text, file_format text, loaded_rows bigint, loaded_bytes bigint,
    source_file_count integer, error_count bigint, error_message text
);
create table if not exists load_errors (
    entry bigint generated always as identity, query_id bigint, user_id bigint, transaction_id bigint, session_id integer,
    table_id bigint, start_time timestamp, file_name text, line_number bigint, column_name text, column_type text,
    column_length text, position integer, raw_line text, raw_field_value text, error_code integer, error_message text
);
create index if not exists load_errors_query_id on load_errors (query_id);

create or replace function is_visible(owner bigint) returns boolean stable language sql
begin atomic
    select exists (select from pg_catalog.pg_roles where rolname = current_user and (oid = owner or rolsuper));
end;

-- A view cannot be replaced by one of other columns.
drop view if exists sys_load_error_detail, stl_load_errors, sys_load_history, stv_locks, svv_transactions cascade;

create or replace view sys_load_error_detail as
select user_id::integer, query_id, transaction_id, session_id, current_database()::varchar(64) as database_name,
    table_id::integer, start_time, file_name::varchar(256), line_number, column_name::varchar(127),
    column_type::varchar(10), column_length::varchar(10), position, error_code, error_message::varchar(512)
from load_errors where is_visible(user_id) order by entry;

create or replace view stl_load_errors as
select user_id::integer as userid, 0 as slice, table_id::integer as tbl, start_time as starttime, session_id as session,
    query_id::integer as query, file_name::varchar(256) as filename, line_number, column_name::varchar(127) as colname,
    column_type::varchar(10) as type, column_length::varchar(10) as col_length, position, raw_line::varchar(1024),
    raw_field_value::varchar(1024), error_code as err_code, left(error_message, 100)::varchar(100) as err_reason,
    0 as is_partial, 0::bigint as start_offset
from load_errors where is_visible(user_id) order by entry;

create or replace view sys_load_history as
select user_id::integer, query_id, transaction_id, session_id, current_database()::text as database_name, status,
    table_name, start_time, end_time, (extract(epoch from end_time - start_time) * 1000000)::bigint as duration,
    data_source, file_format, loaded_rows, loaded_bytes, source_file_count, error_count, error_message
from loads where is_visible(user_id);

create or replace view svv_transactions as
select a.usename::text as txn_owner, a.datname::text as txn_db, a.backend_xid::text::bigint as xid, l.pid,
    a.xact_start at time zone 'UTC' as txn_start, l.mode as lock_mode, l.locktype as lockable_object_type,
    l.relation::integer as relation, l.granted
from pg_catalog.pg_locks as l
join pg_catalog.pg_stat_activity as a on a.pid = l.pid
where a.datname = current_database() and is_visible(a.usesysid::bigint) and l.locktype in ('relation', 'transactionid')
    and (l.relation is null or exists (
        select from pg_catalog.pg_class as c join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
        where c.oid = l.relation and c.relkind in ('r', 'v')
            and n.nspname not in ('pg_catalog', 'pg_toast', 'information_schema', 'redshift_compat')));

create or replace view stv_locks as
select relation as table_id, txn_start as last_update, xid as lock_owner, pid as lock_owner_pid,
    case when granted then 'Holding ' else 'Waiting ' end || lock_mode as lock_status
from svv_transactions where relation is not null;

create or replace function version() returns text immutable language sql
return 'PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2 20041017 (Red Hat 3.4.2-6.fc3), Redshift 1.0 (stand-in)';

create or replace function current_setting(name text) returns text stable language plpgsql as $$
begin
    return case name
        when 'query_group' then coalesce(pg_catalog.current_setting('redshift.query_group', true), '')
        when 'statement_timeout' then (select setting from pg_catalog.pg_settings s where s.name = 'statement_timeout')
        else coalesce(
            pg_catalog.current_setting('redshift.' || name, true),
            (select d.setting from (values ('wlm_query_slot_count', '1'), ('enable_result_cache_for_session', 'on'),
                ('enable_case_sensitive_identifier', 'off'), ('analyze_threshold_percent', '10'),
                ('mv_enable_aqmv_for_session', 'on'), ('enable_vacuum_boost', 'off'),
                ('json_serialization_enable', 'off'), ('describe_field_name_in_uppercase', 'off'),
                ('downcase_delimited_identifier', 'on')) as d (parameter, setting) where d.parameter = name),
            pg_catalog.current_setting(name))
    end;
end $$;

create or replace function remembered(name text) returns text stable language sql
return nullif(pg_catalog.current_setting('redshift.' || name, true), '');
create or replace function pg_last_copy_count() returns bigint stable language sql
return coalesce(remembered('last_copy_count'), '0')::bigint;
create or replace function pg_last_copy_id() returns integer stable language sql
return coalesce(remembered('last_copy_id'), '-1')::integer;
create or replace function pg_last_query_id() returns integer stable language sql
return coalesce(remembered('last_load_id'), '-1')::integer;

create or replace function to_varchar(value text, bytes integer) returns varchar immutable parallel safe language plpgsql as $$
declare
    kept text := left(value, bytes);
begin
    while octet_length(kept) > bytes loop
        kept := left(kept, -1);
    end loop;
    return kept;
end $$;

create or replace function concat(text, text) returns text immutable parallel safe language sql return $1 || $2;
create or replace function sha2(text, integer) returns text immutable parallel safe language sql
return encode(case $2 when 512 then sha512(convert_to($1, 'UTF8')) when 384 then sha384(convert_to($1, 'UTF8'))
    when 224 then sha224(convert_to($1, 'UTF8')) when 256 then sha256(convert_to($1, 'UTF8'))
    when 0 then sha256(convert_to($1, 'UTF8')) end, 'hex');
create or replace function regexp_substr(text, text, integer default 1, integer default 1) returns text
immutable parallel safe language sql
return coalesce(pg_catalog.regexp_substr($1, $2, $3, $4), case when $1 is not null and $2 is not null then '' end);

create or replace function trunc(smallint) returns smallint immutable parallel safe language sql return $1;
create or replace function trunc(integer) returns integer immutable parallel safe language sql return $1;
create or replace function trunc(bigint) returns bigint immutable parallel safe language sql return $1;
create or replace function trunc(numeric) returns numeric immutable parallel safe language sql return pg_catalog.trunc($1);
create or replace function trunc(numeric, integer) returns numeric immutable parallel safe language sql
return pg_catalog.trunc($1, $2);
create or replace function trunc(double precision) returns double precision immutable parallel safe language sql
return pg_catalog.trunc($1);
create or replace function trunc(timestamp) returns date immutable parallel safe language sql return $1::date;

create or replace function getdate() returns timestamp stable parallel safe language sql
return pg_catalog.date_trunc('second', statement_timestamp() at time zone 'UTC');
create or replace function sysdate() returns timestamp stable parallel safe language sql
return transaction_timestamp() at time zone 'UTC';
create or replace function last_day(timestamp) returns date immutable parallel safe language sql
return (pg_catalog.date_trunc('month', $1) + interval '1 month' - interval '1 day')::date;
create or replace function date_trunc(text, timestamp) returns timestamp immutable parallel safe language sql
return pg_catalog.date_trunc($1, $2);
create or replace function date_trunc(text, date) returns timestamp immutable parallel safe language sql
return pg_catalog.date_trunc($1, $2::timestamp);
create or replace function date_trunc(text, timestamptz) returns timestamptz stable parallel safe language sql
return pg_catalog.date_trunc($1, $2);
create or replace function convert_timezone(text, text, timestamp) returns timestamp stable parallel safe language sql
return $3 at time zone $1 at time zone $2;
create or replace function convert_timezone(text, timestamp) returns timestamp stable parallel safe language sql
return $2 at time zone 'UTC' at time zone $1;

create or replace function dateadd(part text, n bigint, t timestamp) returns timestamp immutable parallel safe language sql
return t + case part when 'quarter' then n * interval '3 months' when 'millisecond' then n * interval '1 millisecond'
    when 'microsecond' then n * interval '1 microsecond' when 'year' then n * interval '1 year'
    when 'month' then n * interval '1 month' when 'week' then n * interval '1 week' when 'day' then n * interval '1 day'
    when 'hour' then n * interval '1 hour' when 'minute' then n * interval '1 minute'
    when 'second' then n * interval '1 second' end;
-- Counts the boundaries crossed; a week begins on Sunday here.
create or replace function datediff(part text, a timestamp, b timestamp) returns bigint immutable parallel safe language sql
return case part
    when 'year' then extract(year from b) - extract(year from a)
    when 'quarter' then extract(year from b) * 4 + extract(quarter from b) - extract(year from a) * 4 - extract(quarter from a)
    when 'month' then extract(year from b) * 12 + extract(month from b) - extract(year from a) * 12 - extract(month from a)
    when 'week' then (pg_catalog.date_trunc('week', b + interval '1 day')::date
        - pg_catalog.date_trunc('week', a + interval '1 day')::date) / 7
    when 'day' then b::date - a::date
    when 'hour' then extract(epoch from pg_catalog.date_trunc('hour', b) - pg_catalog.date_trunc('hour', a)) / 3600
    when 'minute' then extract(epoch from pg_catalog.date_trunc('minute', b) - pg_catalog.date_trunc('minute', a)) / 60
    when 'second' then extract(epoch from pg_catalog.date_trunc('second', b) - pg_catalog.date_trunc('second', a))
    when 'millisecond' then extract(epoch from pg_catalog.date_trunc('milliseconds', b)
        - pg_catalog.date_trunc('milliseconds', a)) * 1000
    when 'microsecond' then extract(epoch from b - a) * 1000000
end::bigint;

-- The average of integers is an integer, cut; that of decimals has a scale that is not known for certain.
create or replace function avg_of_integers(numeric[]) returns bigint immutable parallel safe language sql
return case when $1[1] > 0 then div($1[2], $1[1])::bigint end;
create or replace function add_integers(numeric[], numeric[]) returns numeric[] immutable strict parallel safe language sql
return array[$1[1] + $2[1], $1[2] + $2[2]];
create or replace function refuse_decimal(numeric, numeric) returns numeric immutable language plpgsql as $$
begin
    raise exception 'avg() of a DECIMAL is refused: its scale is not known for certain. Cast it to DOUBLE PRECISION.'
        using errcode = '0A000';
end $$;
do $$
declare
    kind text;
begin
    foreach kind in array array['smallint', 'integer', 'bigint'] loop
        execute format('create or replace function redshift_compat.add_integer(numeric[], %s) returns numeric[]
            immutable strict parallel safe language sql return array[$1[1] + 1, $1[2] + $2]', kind);
        execute format('create or replace aggregate redshift_compat.avg(%s) (sfunc = redshift_compat.add_integer,
            stype = numeric[], finalfunc = redshift_compat.avg_of_integers, initcond = ''{0,0}'',
            combinefunc = redshift_compat.add_integers, parallel = safe)', kind);
    end loop;
end $$;
create or replace aggregate avg(double precision) (sfunc = float8_accum, stype = float8[], finalfunc = float8_avg,
    combinefunc = float8_combine, initcond = '{0,0,0}', parallel = safe);
create or replace aggregate avg(numeric) (sfunc = refuse_decimal, stype = numeric, initcond = '0');

grant select on sys_load_error_detail, stl_load_errors, sys_load_history, svv_transactions, stv_locks
to public;
