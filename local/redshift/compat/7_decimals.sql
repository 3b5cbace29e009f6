-- DECIMAL has 38 digits at most, and a quotient a scale that rests on both operands' declared precision.
-- https://docs.aws.amazon.com/redshift/latest/dg/r_numeric_computations201.html
--
-- PostgreSQL's own operators know neither, so those of this database are replaced: sums, differences
-- and products are checked, quotients are refused. Where a statement tells the precision of both
-- operands, quotient() stands in place of the operator.
set local allow_system_table_mods = on;

create or replace function fitting(value numeric) returns numeric
immutable strict parallel safe language plpgsql as $$
begin
    if abs(value) < 1e15 and scale(value) <= 20 then
        return value;
    end if;
    if scale(value) > 37 then
        return redshift_compat.refused('a DECIMAL of more than 37 decimals');
    end if;
    if length(trunc(abs(value))::text) + scale(value) > 38 then
        raise exception 'Numeric data overflow (result precision)' using errcode = '22003';
    end if;
    return value;
end $$;

create or replace function decimal_sum(numeric, numeric) returns numeric
immutable strict parallel safe language plpgsql as $$
begin
    return redshift_compat.fitting(numeric_add($1, $2));
end $$;
create or replace function decimal_difference(numeric, numeric) returns numeric
immutable strict parallel safe language plpgsql as $$
begin
    return redshift_compat.fitting(numeric_sub($1, $2));
end $$;
create or replace function decimal_product(numeric, numeric) returns numeric
immutable strict parallel safe language plpgsql as $$
begin
    return redshift_compat.fitting(numeric_mul($1, $2));
end $$;
create or replace function decimal_quotient(numeric, numeric) returns numeric
immutable strict parallel safe language plpgsql as $$
begin
    return redshift_compat.refused(
        'division of a DECIMAL whose precision is not written, unless it is cast to DOUBLE PRECISION,'
    );
end $$;

update pg_operator as operator
set oprcode = replacement.function
from (
    values
        ('+', 'redshift_compat.decimal_sum'::regproc),
        ('-', 'redshift_compat.decimal_difference'::regproc),
        ('*', 'redshift_compat.decimal_product'::regproc),
        ('/', 'redshift_compat.decimal_quotient'::regproc)
) as replacement (name, function)
where operator.oprname = replacement.name
    and operator.oprleft = 'numeric'::regtype
    and operator.oprright = 'numeric'::regtype
    and operator.oprcode <> replacement.function;

-- Amazon does not say whether a quotient is cut or rounded to its scale.
create or replace function quotient(dividend numeric, divisor numeric, scale integer) returns numeric
immutable strict parallel safe language plpgsql as $$
declare
    cut numeric := div(numeric_mul(dividend, 10::numeric ^ scale), divisor);
    rest numeric := numeric_sub(numeric_mul(dividend, 10::numeric ^ scale), numeric_mul(cut, divisor));
begin
    if numeric_mul(abs(rest), 2::numeric) >= abs(divisor) then
        return redshift_compat.refused('the last digit of ' || dividend || ' / ' || divisor);
    end if;
    return redshift_compat.fitting(trunc(numeric_mul(cut, (10::numeric ^ -scale)), scale));
end $$;

-- A DECIMAL of 19 digits is a 64-bit integer: https://docs.aws.amazon.com/redshift/latest/dg/r_Numeric_types201.html
create or replace function of_64_bits(value numeric) returns numeric
immutable strict parallel safe language plpgsql as $$
begin
    if replace(abs(value)::text, '.', '')::numeric > 9223372036854775807 then
        raise exception 'Numeric data overflow (result precision)' using errcode = '22003';
    end if;
    return value;
end $$;

-- Amazon says of an explicit cast that it rounds, and of one of values from a table that it does not.
-- https://docs.aws.amazon.com/redshift/latest/dg/r_CAST_function.html
-- https://docs.aws.amazon.com/redshift/latest/dg/r_Numeric_types201.html
create or replace function kept(value numeric, scale integer) returns numeric
immutable strict parallel safe language plpgsql as $$
begin
    if value = 'NaN' or trunc(value, scale) <> round(value, scale) then
        return redshift_compat.refused('a cast of ' || value || ' to ' || scale || ' decimals');
    end if;
    return trunc(value, scale);
end $$;
create or replace function kept(double precision, integer) returns numeric
immutable strict parallel safe language sql
return kept($1::numeric, $2);
create or replace function kept(text, integer) returns numeric immutable strict parallel safe language sql
return kept($1::numeric, $2);
create or replace function kept(smallint, integer) returns numeric
immutable strict parallel safe language sql
return $1::numeric;
create or replace function kept(integer, integer) returns numeric
immutable strict parallel safe language sql
return $1::numeric;
create or replace function kept(bigint, integer) returns numeric
immutable strict parallel safe language sql
return $1::numeric;

create or replace function whole(numeric) returns numeric immutable strict parallel safe language sql
return kept($1, 0);
create or replace function whole(double precision) returns double precision
immutable strict parallel safe language sql
return case when $1 = trunc($1) then $1 else kept($1, 0)::double precision end;
create or replace function whole(text) returns text immutable strict parallel safe language sql return $1;
create or replace function whole(boolean) returns boolean immutable strict parallel safe language sql
return $1;
create or replace function whole(smallint) returns smallint
immutable strict parallel safe language sql
return $1;
create or replace function whole(integer) returns integer immutable strict parallel safe language sql
return $1;
create or replace function whole(bigint) returns bigint immutable strict parallel safe language sql
return $1;
