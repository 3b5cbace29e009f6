create or replace function sysdate() returns timestamp stable parallel safe language sql
return transaction_timestamp() at time zone 'UTC';
create or replace function trunc(timestamp) returns date immutable parallel safe language sql
return $1::date;
create or replace function last_day(timestamp) returns date immutable parallel safe language sql
return (pg_catalog.date_trunc('month', $1) + interval '1 month' - interval '1 day')::date;
create or replace function add_months(timestamp, integer) returns timestamp
immutable parallel safe language sql
return case
    when $1::date = last_day($1) then last_day($1 + $2 * interval '1 month') + $1::time
    else $1 + $2 * interval '1 month'
end;
create or replace function date_trunc(text, timestamp) returns timestamp
immutable parallel safe language sql
return pg_catalog.date_trunc($1, $2);
create or replace function date_trunc(text, date) returns timestamp immutable parallel safe language sql
return pg_catalog.date_trunc($1, $2::timestamp);
create or replace function date_trunc(text, timestamptz) returns timestamptz
stable parallel safe language sql
return pg_catalog.date_trunc($1, $2);
create or replace function convert_timezone(text, text, timestamp) returns timestamp
stable parallel safe language sql
return $3 at time zone $1 at time zone $2;
create or replace function convert_timezone(text, timestamp) returns timestamp
stable parallel safe language sql
return $2 at time zone 'UTC' at time zone $1;

create or replace function dateadd(part text, n bigint, t timestamp) returns timestamp
immutable parallel safe language sql
return t + case part
    when 'quarter' then n * interval '3 months'
    when 'millisecond' then n * interval '1 millisecond'
    when 'microsecond' then n * interval '1 microsecond'
    when 'year' then n * interval '1 year'
    when 'month' then n * interval '1 month'
    when 'week' then n * interval '1 week'
    when 'day' then n * interval '1 day'
    when 'hour' then n * interval '1 hour'
    when 'minute' then n * interval '1 minute'
    when 'second' then n * interval '1 second'
end;

-- Counts the boundaries crossed; a week begins on Sunday here, and the epoch on a Thursday.
create or replace function months(timestamp) returns integer immutable parallel safe language sql
return extract(year from $1)::integer * 12 + extract(month from $1)::integer - 1;
create or replace function microseconds(timestamp) returns bigint immutable parallel safe language sql
return numeric_mul(extract(epoch from $1), 1000000)::bigint;
create or replace function floored(dividend bigint, divisor bigint) returns bigint
immutable parallel safe language sql
return (dividend - (dividend % divisor + divisor) % divisor) / divisor;
create or replace function boundaries(a timestamp, b timestamp, unit bigint, shift bigint default 0)
returns bigint immutable parallel safe language sql
return floored(microseconds(b) + shift, unit) - floored(microseconds(a) + shift, unit);
create or replace function datediff(part text, a timestamp, b timestamp) returns bigint
immutable parallel safe language sql
return case part
    when 'year' then months(b) / 12 - months(a) / 12
    when 'quarter' then months(b) / 3 - months(a) / 3
    when 'month' then months(b) - months(a)
    when 'week' then boundaries(a, b, 604800000000, 345600000000)
    when 'day' then b::date - a::date
    when 'hour' then boundaries(a, b, 3600000000)
    when 'minute' then boundaries(a, b, 60000000)
    when 'second' then boundaries(a, b, 1000000)
    when 'millisecond' then boundaries(a, b, 1000)
    when 'microsecond' then boundaries(a, b, 1)
end;

create or replace function day_of_month(timestamp) returns double precision
immutable parallel safe language sql
return date_part('day', $1) + date_part('epoch', $1::time) / 86400;
create or replace function months_between(a timestamp, b timestamp) returns double precision
immutable parallel safe language sql
return months(a) - months(b) + case
    when date_part('day', a) = date_part('day', b) or (a::date = last_day(a) and b::date = last_day(b))
        then 0
    else (day_of_month(a) - day_of_month(b)) / 31
end;
