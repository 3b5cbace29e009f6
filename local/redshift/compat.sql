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
drop view if exists sys_load_error_detail, stl_load_errors, sys_load_history, stv_locks, svv_transactions, svv_roles,
    table_constraints, key_column_usage, keys cascade;

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

create or replace view svv_roles as
select oid::integer as role_id, rolname::text as role_name from pg_catalog.pg_roles where not rolcanlogin and rolname !~ '^pg_';

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

create or replace function remembered(name text) returns text stable language sql
return nullif(pg_catalog.current_setting('redshift.' || name, true), '');

create or replace function to_varchar(value text, bytes integer) returns varchar immutable parallel safe language plpgsql as $$
declare
    kept text := left(value, bytes);
begin
    while octet_length(kept) > bytes loop
        kept := left(kept, -1);
    end loop;
    return kept;
end $$;

create or replace function sha2(text, integer) returns text immutable parallel safe language sql
return encode(case $2 when 512 then sha512(convert_to($1, 'UTF8')) when 384 then sha384(convert_to($1, 'UTF8'))
    when 224 then sha224(convert_to($1, 'UTF8')) when 256 then sha256(convert_to($1, 'UTF8'))
    when 0 then sha256(convert_to($1, 'UTF8')) end, 'hex');
create or replace function regexp_substr(text, text, integer, integer, text) returns text
immutable strict parallel safe language sql return coalesce(pg_catalog.regexp_substr($1, $2, $3, $4, $5), '');
create or replace function regexp_substr(text, text, integer default 1, integer default 1) returns text
immutable parallel safe language sql return regexp_substr($1, $2, $3, $4, 'c');

create or replace function refused(what text) returns text volatile language plpgsql as $$
begin
    raise exception '% is refused: the stand-in does not know for certain what Redshift answers.', what using errcode = '0A000';
end $$;
create or replace function strtol(text, integer) returns bigint immutable strict parallel safe language sql
return (select case when bool_and(digit between 0 and $2 - 1) then sum(digit * $2::numeric ^ (length($1) - place))::bigint
        else refused('strtol() of ' || $1)::bigint end
    from (select place, strpos('0123456789abcdefghijklmnopqrstuvwxyz', lower(substr($1, place, 1))) - 1 as digit
        from generate_series(1, length($1)) as place) as digits);

-- Amazon's page has said of what is not there that it is an empty text, and says now that it is null.
create or replace function text_of_json(json) returns text immutable parallel safe language sql
return coalesce($1 #>> '{}', refused('a value that JSON has not or has as null'));
create or replace function json_extract_path_text(text, variadic text[]) returns text
immutable strict parallel safe language sql return text_of_json($1::json #> $2);
create or replace function json_extract_array_element_text(text, integer) returns text
immutable strict parallel safe language sql
return text_of_json(case when $2 >= 0 then $1::json -> $2 end);

create or replace function trunc(smallint) returns smallint immutable parallel safe language sql return $1;
create or replace function trunc(integer) returns integer immutable parallel safe language sql return $1;
create or replace function trunc(bigint) returns bigint immutable parallel safe language sql return $1;
create or replace function trunc(numeric) returns numeric immutable parallel safe language sql return pg_catalog.trunc($1);
create or replace function trunc(numeric, integer) returns numeric immutable parallel safe language sql
return pg_catalog.trunc($1, $2);
create or replace function trunc(double precision) returns double precision immutable parallel safe language sql
return pg_catalog.trunc($1);
create or replace function trunc(timestamp) returns date immutable parallel safe language sql return $1::date;

create or replace function sysdate() returns timestamp stable parallel safe language sql
return transaction_timestamp() at time zone 'UTC';
create or replace function last_day(timestamp) returns date immutable parallel safe language sql
return (pg_catalog.date_trunc('month', $1) + interval '1 month' - interval '1 day')::date;
create or replace function add_months(timestamp, integer) returns timestamp immutable parallel safe language sql
return case when $1::date = last_day($1) then last_day($1 + $2 * interval '1 month') + $1::time
    else $1 + $2 * interval '1 month' end;
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
-- Counts the boundaries crossed; a week begins on Sunday here, and the epoch on a Thursday.
create or replace function months(timestamp) returns integer immutable parallel safe language sql
return extract(year from $1) * 12 + extract(month from $1) - 1;
create or replace function crossed(a timestamp, b timestamp, seconds numeric, shift integer default 0) returns bigint
immutable parallel safe language sql
return floor((extract(epoch from b) + shift) / seconds) - floor((extract(epoch from a) + shift) / seconds);
create or replace function datediff(part text, a timestamp, b timestamp) returns bigint immutable parallel safe language sql
return case part when 'year' then months(b) / 12 - months(a) / 12 when 'quarter' then months(b) / 3 - months(a) / 3
    when 'month' then months(b) - months(a) when 'week' then crossed(a, b, 604800, 345600)
    when 'day' then b::date - a::date when 'hour' then crossed(a, b, 3600) when 'minute' then crossed(a, b, 60)
    when 'second' then crossed(a, b, 1) when 'millisecond' then crossed(a, b, 0.001)
    when 'microsecond' then crossed(a, b, 0.000001) end;

create or replace function months_between(a timestamp, b timestamp) returns double precision
immutable parallel safe language sql
return months(a) - months(b) + case
    when extract(day from a) = extract(day from b) or (a::date = last_day(a) and b::date = last_day(b)) then 0
    else (extract(day from a) - extract(day from b) + extract(epoch from a::time - b::time) / 86400) / 31 end;

-- The average of integers is an integer, cut; that of decimals has a scale that is not known for certain.
create or replace function avg_of_integers(bigint[]) returns bigint immutable parallel safe language sql
return $1[2] / nullif($1[1], 0);
create or replace function avg_of_integers(numeric[]) returns bigint immutable parallel safe language sql
return div($1[2], nullif($1[1], 0));
create or replace function add_integer(numeric[], bigint) returns numeric[] immutable strict parallel safe language sql
return array[$1[1] + 1, $1[2] + $2];
create or replace function add_integers(numeric[], numeric[]) returns numeric[] immutable strict parallel safe language sql
return array[$1[1] + $2[1], $1[2] + $2[2]];
create or replace function refuse_decimal(numeric, numeric) returns numeric immutable language sql
return refused('avg() of a DECIMAL, unless it is cast to DOUBLE PRECISION,')::numeric;
create or replace aggregate avg(smallint) (sfunc = int2_avg_accum, stype = bigint[], finalfunc = avg_of_integers,
    combinefunc = int4_avg_combine, initcond = '{0,0}', parallel = safe);
create or replace aggregate avg(integer) (sfunc = int4_avg_accum, stype = bigint[], finalfunc = avg_of_integers,
    combinefunc = int4_avg_combine, initcond = '{0,0}', parallel = safe);
create or replace aggregate avg(bigint) (sfunc = add_integer, stype = numeric[], finalfunc = avg_of_integers,
    combinefunc = add_integers, initcond = '{0,0}', parallel = safe);
create or replace aggregate avg(double precision) (sfunc = float8_accum, stype = float8[], finalfunc = float8_avg,
    combinefunc = float8_combine, initcond = '{0,0,0}', parallel = safe);
create or replace aggregate avg(numeric) (sfunc = refuse_decimal, stype = numeric, initcond = '0');

-- Keys are kept as constraints that are not enforced: CHECK (ROW('PRIMARY KEY', columns) IS NOT NULL).
create or replace view keys as
select k.conname::text as constraint_name, k.conrelid, k.conkey, c.relname::text as table_name,
    n.nspname::text as table_schema, current_database()::text as catalog,
    substring(pg_get_constraintdef(k.oid) from 'ROW\(''(PRIMARY KEY|UNIQUE|FOREIGN KEY)''') as constraint_type
from pg_constraint as k join pg_class as c on c.oid = k.conrelid join pg_namespace as n on n.oid = c.relnamespace
where k.contype = 'c' and not k.conenforced and has_table_privilege(c.oid, 'select, insert, update, delete, references');
create or replace view table_constraints as
select catalog as constraint_catalog, table_schema as constraint_schema, constraint_name, catalog as table_catalog,
    table_schema, table_name, constraint_type, 'NO' as is_deferrable, 'NO' as initially_deferred
from keys;
create or replace view key_column_usage as
select k.catalog as constraint_catalog, k.table_schema as constraint_schema, k.constraint_name,
    k.catalog as table_catalog, k.table_schema, k.table_name, a.attname::text as column_name,
    c.place::integer as ordinal_position
from keys as k cross join lateral unnest(k.conkey) with ordinality as c (number, place)
join pg_attribute as a on a.attrelid = k.conrelid and a.attnum = c.number;
-- LIKE copies a table's constraints, but not its keys.
create or replace function drop_keys(copy text, original text) returns void language plpgsql as $$
declare
    constraint_name text;
begin
    for constraint_name in select k.constraint_name from redshift_compat.keys as k join redshift_compat.keys as o using (constraint_name)
        where k.conrelid = copy::regclass and o.conrelid = original::regclass loop
        execute format('alter table %s drop constraint %I', copy, constraint_name);
    end loop;
end $$;
create or replace function append(target text, source text, option text) returns void language plpgsql as $$
declare
    common text;
    wrong text;
begin
    if transaction_timestamp() <> statement_timestamp() then
        raise exception 'ALTER TABLE APPEND cannot run inside a transaction block' using errcode = '25001';
    end if;
    with t as (select * from pg_attribute where attrelid = target::regclass and attnum > 0 and not attisdropped and attidentity <> 'a'),
    s as (select * from pg_attribute where attrelid = source::regclass and attnum > 0 and not attisdropped and attidentity <> 'a'),
    pair as (
        select coalesce(t.attname, s.attname) as name, case
            when s.attname is null and option <> 'FILLTARGET' then 'is missing in the source'
            when t.attname is null and option <> 'IGNOREEXTRA' then 'is missing in the target'
            when (t.atttypid, t.atttypmod, t.attnotnull) <> (s.atttypid, s.atttypmod, s.attnotnull) then 'has other attributes'
        end as fault, t.attname = s.attname as common
        from t full join s on s.attname = t.attname
    )
    select string_agg(quote_ident(name), ', ') filter (where pair.common), min(name || ' ' || fault) into common, wrong from pair;
    if wrong is not null then
        raise exception 'ALTER TABLE APPEND failed: column %', wrong using errcode = '42804';
    end if;
    execute format('insert into %s (%s) select %s from %s', target, common, common, source);
    execute format('truncate %s', source);
end $$;

grant select on sys_load_error_detail, stl_load_errors, sys_load_history, svv_transactions, stv_locks, svv_roles,
    table_constraints, key_column_usage, keys to public;
