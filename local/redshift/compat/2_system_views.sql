create or replace function is_visible(owner bigint) returns boolean stable language sql
begin atomic
    select exists (
        select from pg_catalog.pg_roles where rolname = current_user and (oid = owner or rolsuper)
    );
end;

-- A view cannot be replaced by one of other columns.
drop view if exists sys_load_error_detail, stl_load_errors, sys_load_history, stv_locks,
    svv_transactions, svv_roles, table_constraints, key_column_usage, keys cascade;

-- Texts are CHAR where Amazon says so, and come with their blanks.
-- https://docs.aws.amazon.com/redshift/latest/dg/SYS_LOAD_ERROR_DETAIL.html
create or replace view sys_load_error_detail as
select
    user_id::integer,
    query_id,
    transaction_id,
    session_id,
    current_database()::char(64) as database_name,
    table_id::integer,
    start_time,
    file_name::char(256),
    line_number,
    column_name::char(127),
    column_type::char(10),
    column_length::char(10),
    position,
    error_code,
    error_message::char(512)
from load_errors
where is_visible(user_id)
order by entry;

-- https://docs.aws.amazon.com/redshift/latest/dg/r_STL_LOAD_ERRORS.html
create or replace view stl_load_errors as
select
    user_id::integer as userid,
    0 as slice,
    table_id::integer as tbl,
    start_time as starttime,
    session_id as session,
    query_id::integer as query,
    file_name::char(256) as filename,
    line_number,
    column_name::char(127) as colname,
    column_type::char(10) as type,
    column_length::char(10) as col_length,
    position,
    raw_line::char(1024),
    raw_field_value::char(1024),
    error_code as err_code,
    pg_catalog.left(error_message, 100)::char(100) as err_reason,
    0 as is_partial,
    0::bigint as start_offset,
    0::bigint as copy_job_id
from load_errors
where is_visible(user_id)
order by entry;

-- https://docs.aws.amazon.com/redshift/latest/dg/SYS_LOAD_HISTORY.html
create or replace view sys_load_history as
select
    user_id::integer,
    query_id,
    transaction_id,
    session_id,
    current_database()::text as database_name,
    status,
    table_name,
    start_time,
    end_time,
    (extract(epoch from end_time - start_time) * 1000000)::bigint as duration,
    data_source,
    file_format,
    loaded_rows,
    loaded_bytes,
    source_file_count,
    loaded_bytes as source_file_bytes,
    source_file_count as file_count_scanned,
    loaded_bytes as file_bytes_scanned,
    error_count,
    0::bigint as copy_job_id
from loads
where is_visible(user_id);

-- A user who is no superuser sees the roles granted to them and those that they made.
-- https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_ROLES.html
create or replace view svv_roles as
select oid::integer as role_id, rolname::text as role_name
from pg_catalog.pg_roles
where not rolcanlogin and rolname !~ '^pg_' and pg_has_role(oid, 'member');

create or replace view svv_transactions as
select
    a.usename::text as txn_owner,
    a.datname::text as txn_db,
    a.backend_xid::text::bigint as xid,
    l.pid,
    a.xact_start at time zone 'UTC' as txn_start,
    l.mode as lock_mode,
    l.locktype as lockable_object_type,
    l.relation::integer as relation,
    l.granted
from pg_catalog.pg_locks as l
join pg_catalog.pg_stat_activity as a on a.pid = l.pid
where a.datname = current_database()
    and is_visible(a.usesysid::bigint)
    and l.locktype in ('relation', 'transactionid')
    and (
        l.relation is null
        or exists (
            select
            from pg_catalog.pg_class as c
            join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
            where c.oid = l.relation
                and c.relkind in ('r', 'v')
                and n.nspname not in (
                    'pg_catalog', 'pg_toast', 'information_schema', 'redshift_compat'
                )
        )
    );

create or replace view stv_locks as
select
    relation as table_id,
    txn_start as last_update,
    xid as lock_owner,
    pid as lock_owner_pid,
    case when granted then 'Holding ' else 'Waiting ' end || lock_mode as lock_status
from svv_transactions
where relation is not null;
