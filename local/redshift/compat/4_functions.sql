create or replace function version() returns text immutable language sql
return 'PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2 20041017 '
    '(Red Hat 3.4.2-6.fc3), Redshift 1.0 (stand-in)';

create or replace function remembered(name text) returns text stable language sql
return nullif(pg_catalog.current_setting('redshift.' || name, true), '');

create or replace function refused(what text) returns text volatile language plpgsql as $$
begin
    raise exception '% is refused: the stand-in does not know for certain what Redshift answers.', what
        using errcode = '0A000';
end $$;

-- Texts

create or replace function to_varchar(value text, bytes integer) returns varchar
immutable parallel safe language plpgsql as $$
declare
    kept text := left(value, bytes);
begin
    while octet_length(kept) > bytes loop
        kept := left(kept, -1);
    end loop;
    return kept;
end $$;

-- Letters of any script change their case: https://docs.aws.amazon.com/redshift/latest/dg/r_LOWER.html
create or replace function lower(text) returns text immutable strict parallel safe language sql
return pg_catalog.lower($1 collate pg_c_utf8);
create or replace function upper(text) returns text immutable strict parallel safe language sql
return pg_catalog.upper($1 collate pg_c_utf8);
create or replace function initcap(text) returns text immutable strict parallel safe language sql
return pg_catalog.initcap($1 collate pg_c_utf8);

-- PostgreSQL counts from the end where a number is negative; Redshift's pages ask for positive ones.
create or replace function positive(integer, what text) returns integer
immutable strict parallel safe language sql
return case when $1 > 0 then $1 else refused(what || ' with ' || $1)::integer end;
create or replace function "left"(text, integer) returns text immutable strict parallel safe language sql
return pg_catalog."left"($1, positive($2, 'left()'));
create or replace function "right"(text, integer) returns text immutable strict parallel safe language sql
return pg_catalog."right"($1, positive($2, 'right()'));
create or replace function split_part(text, text, integer) returns text
immutable strict parallel safe language sql
return pg_catalog.split_part($1, $2, positive($3, 'split_part()'));

-- CHAR holds single-byte characters only: https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html
create or replace function single_byte(value text) returns text
immutable strict parallel safe language plpgsql as $$
begin
    if octet_length(value) <> char_length(value) then
        raise exception 'Multibyte character not supported for CHAR (Hint: Try using VARCHAR).'
            using errcode = '22021';
    end if;
    return value;
end $$;

-- https://docs.aws.amazon.com/redshift/latest/dg/r_LISTAGG.html
create or replace function listed(value text) returns text
immutable strict parallel safe language plpgsql as $$
begin
    if octet_length(value) > 65535 then
        raise exception 'Result size exceeds LISTAGG limit' using errcode = '54000';
    end if;
    return value;
end $$;

create or replace function sha2(text, integer) returns text immutable parallel safe language sql
return encode(
    case $2
        when 512 then sha512(convert_to($1, 'UTF8'))
        when 384 then sha384(convert_to($1, 'UTF8'))
        when 224 then sha224(convert_to($1, 'UTF8'))
        when 256 then sha256(convert_to($1, 'UTF8'))
        when 0 then sha256(convert_to($1, 'UTF8'))
        else ''
    end,
    'hex'
);

create or replace function regexp_substr(text, text, integer, integer, text) returns text
immutable strict parallel safe language sql
return coalesce(pg_catalog.regexp_substr($1, $2, $3, $4, $5), '');
create or replace function regexp_substr(text, text, integer default 1, integer default 1) returns text
immutable parallel safe language sql
return regexp_substr($1, $2, $3, $4, 'c');

create or replace function strtol(text, integer) returns bigint
immutable strict parallel safe language sql
return (
    select case
        when bool_and(digit between 0 and $2 - 1)
            then sum(digit * $2::numeric ^ (length($1) - place))::bigint
        else refused('strtol() of ' || $1)::bigint
    end
    from (
        select
            place,
            strpos('0123456789abcdefghijklmnopqrstuvwxyz', lower(substr($1, place, 1))) - 1 as digit
        from generate_series(1, length($1)) as place
    ) as digits
);

-- Amazon's page has said of what is not there that it is an empty text, and says now that it is null.
create or replace function text_of_json(json) returns text immutable parallel safe language sql
return coalesce($1 #>> '{}', refused('a value that JSON has not or has as null'));
create or replace function json_extract_path_text(text, variadic text[]) returns text
immutable strict parallel safe language sql
return text_of_json($1::json #> $2);
create or replace function json_extract_array_element_text(text, integer) returns text
immutable strict parallel safe language sql
return text_of_json(case when $2 >= 0 then $1::json -> $2 end);

-- Numbers

create or replace function trunc(smallint) returns smallint immutable parallel safe language sql
return $1;
create or replace function trunc(integer) returns integer immutable parallel safe language sql
return $1;
create or replace function trunc(bigint) returns bigint immutable parallel safe language sql
return $1;
create or replace function trunc(numeric) returns numeric immutable parallel safe language sql
return pg_catalog.trunc($1);
create or replace function trunc(numeric, integer) returns numeric immutable parallel safe language sql
return pg_catalog.trunc($1, $2);
create or replace function trunc(double precision) returns double precision
immutable parallel safe language sql
return pg_catalog.trunc($1);

-- What is asked of a number gives a number of its type, where PostgreSQL makes DOUBLE PRECISION of
-- integers. The type that round() and sign() give of integers is not certain.
create or replace function floor(smallint) returns smallint immutable parallel safe language sql
return $1;
create or replace function floor(integer) returns integer immutable parallel safe language sql
return $1;
create or replace function floor(bigint) returns bigint immutable parallel safe language sql
return $1;
create or replace function floor(numeric) returns numeric immutable parallel safe language sql
return pg_catalog.floor($1);
create or replace function floor(real) returns real immutable parallel safe language sql
return pg_catalog.floor($1);
create or replace function floor(double precision) returns double precision
immutable parallel safe language sql
return pg_catalog.floor($1);
create or replace function ceil(smallint) returns smallint immutable parallel safe language sql
return $1;
create or replace function ceil(integer) returns integer immutable parallel safe language sql
return $1;
create or replace function ceil(bigint) returns bigint immutable parallel safe language sql
return $1;
create or replace function ceil(numeric) returns numeric immutable parallel safe language sql
return pg_catalog.ceil($1);
create or replace function ceil(real) returns real immutable parallel safe language sql
return pg_catalog.ceil($1);
create or replace function ceil(double precision) returns double precision
immutable parallel safe language sql
return pg_catalog.ceil($1);
create or replace function of_integer(what text) returns bigint language sql
return refused(what || ' of an integer, unless it is cast to DECIMAL or DOUBLE PRECISION,')::bigint;
create or replace function sign(smallint) returns bigint immutable strict language sql
return of_integer('sign()');
create or replace function sign(integer) returns bigint immutable strict language sql
return of_integer('sign()');
create or replace function sign(bigint) returns bigint immutable strict language sql
return of_integer('sign()');
create or replace function sign(numeric) returns numeric immutable parallel safe language sql
return pg_catalog.sign($1);
create or replace function sign(double precision) returns double precision
immutable parallel safe language sql
return pg_catalog.sign($1);
create or replace function round(smallint, integer default 0) returns bigint
immutable strict language sql
return of_integer('round()');
create or replace function round(integer, integer default 0) returns bigint
immutable strict language sql
return of_integer('round()');
create or replace function round(bigint, integer default 0) returns bigint
immutable strict language sql
return of_integer('round()');
create or replace function round(numeric, integer default 0) returns numeric
immutable parallel safe language sql
return pg_catalog.round($1, $2);
-- PostgreSQL rounds a half to the even number.
create or replace function round(double precision) returns double precision
immutable parallel safe language sql
return case
    when abs($1 - pg_catalog.trunc($1)) = 0.5 then refused('round() of the half ' || $1)::double precision
    else pg_catalog.round($1)
end;
create or replace function ln(numeric) returns double precision
immutable strict parallel safe language sql
return refused('ln() of a DECIMAL, unless it is cast to DOUBLE PRECISION,')::double precision;
create or replace function ln(double precision) returns double precision
immutable parallel safe language sql
return pg_catalog.ln($1);

-- The sum of integers is BIGINT, of BIGINT too, and that of REAL is DOUBLE PRECISION.
-- https://docs.aws.amazon.com/redshift/latest/dg/r_SUM.html
create or replace aggregate sum(smallint) (
    sfunc = int2_sum, stype = bigint, combinefunc = int8pl, parallel = safe
);
create or replace aggregate sum(integer) (
    sfunc = int4_sum, stype = bigint, combinefunc = int8pl, parallel = safe
);
create or replace aggregate sum(bigint) (
    sfunc = int8pl, stype = bigint, combinefunc = int8pl, parallel = safe
);
create or replace aggregate sum(double precision) (
    sfunc = float8pl, stype = double precision, combinefunc = float8pl, parallel = safe
);
create or replace aggregate sum(numeric) (
    sfunc = numeric_avg_accum, stype = internal, sspace = 128, finalfunc = numeric_sum,
    combinefunc = numeric_avg_combine, serialfunc = numeric_avg_serialize,
    deserialfunc = numeric_avg_deserialize, parallel = safe
);

-- The average of integers is an integer, cut. That of decimals has a scale that is not certain.
create or replace function avg_of_integers(bigint[]) returns bigint immutable parallel safe language sql
return $1[2] / nullif($1[1], 0);
create or replace function avg_of_integers(numeric[]) returns bigint
immutable parallel safe language sql
return div($1[2], nullif($1[1], 0));
create or replace function add_integer(numeric[], bigint) returns numeric[]
immutable strict parallel safe language sql
return array[$1[1] + 1, $1[2] + $2];
create or replace function add_integers(numeric[], numeric[]) returns numeric[]
immutable strict parallel safe language sql
return array[$1[1] + $2[1], $1[2] + $2[2]];
create or replace function refuse_decimal(numeric, numeric) returns numeric immutable language sql
return refused('avg() of a DECIMAL, unless it is cast to DOUBLE PRECISION,')::numeric;
create or replace aggregate avg(smallint) (
    sfunc = int2_avg_accum, stype = bigint[], finalfunc = avg_of_integers,
    combinefunc = int4_avg_combine, initcond = '{0,0}', parallel = safe
);
create or replace aggregate avg(integer) (
    sfunc = int4_avg_accum, stype = bigint[], finalfunc = avg_of_integers,
    combinefunc = int4_avg_combine, initcond = '{0,0}', parallel = safe
);
create or replace aggregate avg(bigint) (
    sfunc = add_integer, stype = numeric[], finalfunc = avg_of_integers,
    combinefunc = add_integers, initcond = '{0,0}', parallel = safe
);
create or replace aggregate avg(double precision) (
    sfunc = float8_accum, stype = float8[], finalfunc = float8_avg,
    combinefunc = float8_combine, initcond = '{0,0,0}', parallel = safe
);
create or replace aggregate avg(numeric) (sfunc = refuse_decimal, stype = numeric, initcond = '0');
