-- Keys are kept as constraints that are not enforced: CHECK (ROW('PRIMARY KEY', columns) IS NOT NULL).
create or replace view keys as
select
    k.conname::text as constraint_name,
    k.conrelid,
    k.conkey,
    c.relname::text as table_name,
    n.nspname::text as table_schema,
    current_database()::text as catalog,
    substring(
        pg_get_constraintdef(k.oid) from 'ROW\(''(PRIMARY KEY|UNIQUE|FOREIGN KEY)'''
    ) as constraint_type
from pg_constraint as k
join pg_class as c on c.oid = k.conrelid
join pg_namespace as n on n.oid = c.relnamespace
where k.contype = 'c'
    and not k.conenforced
    and has_table_privilege(c.oid, 'select, insert, update, delete, references');

create or replace view table_constraints as
select
    catalog as constraint_catalog,
    table_schema as constraint_schema,
    constraint_name,
    catalog as table_catalog,
    table_schema,
    table_name,
    constraint_type,
    'NO' as is_deferrable,
    'NO' as initially_deferred
from keys;

create or replace view key_column_usage as
select
    k.catalog as constraint_catalog,
    k.table_schema as constraint_schema,
    k.constraint_name,
    k.catalog as table_catalog,
    k.table_schema,
    k.table_name,
    a.attname::text as column_name,
    c.place::integer as ordinal_position
from keys as k
cross join lateral unnest(k.conkey) with ordinality as c (number, place)
join pg_attribute as a on a.attrelid = k.conrelid and a.attnum = c.number;

-- LIKE copies a table's constraints, but not its keys.
create or replace function drop_keys(copy text, original text) returns void language plpgsql as $$
declare
    constraint_name text;
begin
    for constraint_name in
        select k.constraint_name
        from redshift_compat.keys as k
        join redshift_compat.keys as o using (constraint_name)
        where k.conrelid = copy::regclass and o.conrelid = original::regclass
    loop
        execute format('alter table %s drop constraint %I', copy, constraint_name);
    end loop;
end $$;

create or replace function outside_of_transactions(what text) returns void language plpgsql as $$
begin
    if transaction_timestamp() <> statement_timestamp() then
        raise exception '% cannot run inside a transaction block', what using errcode = '25001';
    end if;
end $$;

-- CREATE TABLE AS gives columns their types, but not the limits that are constraints here.
create or replace function limit_columns(made text) returns void language plpgsql as $$
declare
    limits text;
begin
    select string_agg(
        format(
            case atttypid
                when 'varchar'::regtype
                    then 'add constraint %1$I check (octet_length(%2$I) <= %3$s) not valid'
                else 'add constraint %1$I check (octet_length(%2$I::text) = char_length(%2$I::text)) not valid'
            end,
            left(attname, 63 - length(suffix)) || suffix, attname, atttypmod - 4
        ),
        ', '
    )
    into limits
    from pg_attribute
    cross join lateral (
        select case atttypid when 'varchar'::regtype then '_byte_limit' else '_single_byte' end as suffix
    ) as named
    where attrelid = made::regclass
        and attnum > 0
        and atttypid in ('varchar'::regtype, 'bpchar'::regtype)
        and atttypmod > 0;
    if limits is not null then
        execute format('alter table %s %s', made, limits);
    end if;
end $$;

create or replace function append(target text, source text, option text) returns void
language plpgsql as $$
declare
    common text;
    wrong text;
begin
    perform redshift_compat.outside_of_transactions('ALTER TABLE APPEND');
    with t as (
        select * from pg_attribute
        where attrelid = target::regclass and attnum > 0 and not attisdropped and attidentity <> 'a'
    ),
    s as (
        select * from pg_attribute
        where attrelid = source::regclass and attnum > 0 and not attisdropped and attidentity <> 'a'
    ),
    pair as (
        select
            coalesce(t.attname, s.attname) as name,
            case
                when s.attname is null and option <> 'FILLTARGET' then 'is missing in the source'
                when t.attname is null and option <> 'IGNOREEXTRA' then 'is missing in the target'
                when (t.atttypid, t.atttypmod, t.attnotnull) <> (s.atttypid, s.atttypmod, s.attnotnull)
                    then 'has other attributes'
            end as fault,
            t.attname = s.attname as common
        from t
        full join s on s.attname = t.attname
    )
    select
        string_agg(quote_ident(name), ', ') filter (where pair.common),
        min(name || ' ' || fault)
    into common, wrong
    from pair;
    if wrong is not null then
        raise exception 'ALTER TABLE APPEND failed: column %', wrong using errcode = '42804';
    end if;
    execute format('insert into %s (%s) select %s from %s', target, common, common, source);
    execute format('truncate %s', source);
end $$;

grant select on sys_load_error_detail, stl_load_errors, sys_load_history, svv_transactions, stv_locks,
    svv_roles, table_constraints, key_column_usage, keys to public;
