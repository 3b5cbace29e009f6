from __future__ import annotations

import pytest

from local.redshift.sql.plan import Load, Refuse, Script, Send
from local.redshift.sql.rewrite import rewrite

REFUSED = {
    "on conflict": "insert into t values (1) on conflict do nothing",
    "returning": "insert into t values (1) returning a",
    "index": "create index i on t (a)",
    "savepoint": "savepoint s",
    "for update": "select a from t for update",
    "lateral": "select a from t, lateral (select 1) as x",
    "distinct on": "select distinct on (a) a from t",
    "array": "select array[1]",
    "subscript": "select a[1] from t",
    "is distinct from": "select a is distinct from b from t",
    "filter": "select sum(a) filter (where a > 1) from t",
    "ignore nulls": "select lag(a) ignore nulls over (order by a) from t",
    "pivot": "select * from (select a, b from t) pivot (count(a) for b in ('a', 'b'))",
    "qualify without an alias": "select a from t qualify row_number() over (order by a) = 1",
    "qualify over a join using": "select * from t join u using (a) qualify row_number() over (order by b) = 1",
    "group by all of a mixture": "select a + count(*) from t group by all",
    "rollup beside a column": "select a from t group by a, rollup (b)",
    "median in a window": "select median(a) over () from t",
    "percentile without order": "select percentile_cont(0.5) from t",
    "pcre": "select regexp_substr(a, 'b', 1, 1, 'p') from t",
    "system view": "select count(*) from svv_table_info",
    "schema of the stand-in": "select * from redshift_compat.loads",
    "no frame": "select sum(a) over (order by a) from t",
    "outer join mark": "select * from t, u where t.a(+) = u.a",
    "unknown function": "select array_agg(a) from t",
    "series": "select * from generate_series(1, 3)",
    "unknown type": "select a::jsonb from t",
    "hidden column": "select ctid from t",
    "select into": "select a into u from t",
    "recursive without columns": "with recursive x as (select 1) select * from x",
    "values as a table": "select * from (values (1)) as v",
    "escape string": r"select E'\n'",
    "backslash": r"select 'a\nb'",
    "adjoining literals": "select 'a' 'b'",
    "dollar quotes": "select $$a$$",
    "long name": f"select {'a' * 64} from t",
    "replacement reference": r"select regexp_replace(a, '(b)', '$1') from t",
    "date part": "select date_part(millennium, a) from t",
    "super": "create table t (a super)",
    "identity of text": "create table t (a varchar identity(0, 1))",
    "key of no column": "create table t (a int, primary key (b))",
    "reserved word": "create table t (table int)",
    "merge of a subquery": "merge into t using (select 1 as a) as s on t.a = s.a remove duplicates",
    "merge with a condition": "merge into t using s on t.a = s.a when matched and s.a > 1 then delete "
    "when not matched then insert values (s.a)",
    "merge with one clause": "merge into t using s on t.a = s.a when matched then delete",
    "weak password": "create user analyst password 'secret'",
    "function in a query of the catalogue": "select pg_read_file('x') from pg_class",
    "write in a query of the catalogue": "with x as (delete from pg_class returning oid) select oid from pg_class",
    "check": "create table t (a int check (a > 1))",
    "check constraint": "create table t (a int, check (a > 1))",
    "procedure": "create procedure p() as $$ begin end $$ language plpgsql",
    "late binding to a table without its schema": "create view v as select a from s.t, u with no schema binding",
    "late binding of a recursive query": "create view v as with recursive x (a) as (select a from s.t union all "
    "select a from x) select a from x with no schema binding",
    "binding": "create view v as select a from s.t with schema binding",
    "unknown parameter": "set enable_hashjoin to off",
    "unknown parameter's value": "select current_setting('data_directory')",
    "parameter by a column": "select current_setting(query_group) from t",
    "truncate of two": "truncate t, u",
    "lock mode": "lock t in share mode",
    "do": "do 'begin end'",
    "copy to": "copy t to stdout",
    "copy from stdin": "copy t from stdin",
    "copy csv": "copy t from 's3://b/k' iam_role default format csv",
    "copy option": "copy t from 's3://b/k' iam_role default format json 'auto' acceptinvchars",
    "copy without authorisation": "copy t from 's3://b/k' format json 'auto'",
    "copy twice": "copy t from 's3://b/k' iam_role default format json 'auto' gzip gzip",
}


@pytest.mark.parametrize("sql", REFUSED.values(), ids=REFUSED)
def test_what_redshift_lacks_or_the_stand_in_does_not_know_is_refused(sql: str) -> None:
    (plan,) = rewrite(sql)
    assert isinstance(plan, Refuse), plan


@pytest.mark.parametrize(
    ("sql", "sent"),
    [
        ("lock mutex_songplays, mutex_time", 'LOCK TABLE "mutex_songplays", "mutex_time" IN ACCESS EXCLUSIVE MODE'),
        ("set query_group to 'sparkify'", "SET redshift.query_group TO 'sparkify'"),
        ("set statement_timeout to 600000", "SET statement_timeout TO '600000'"),
        ("set search_path to Public, b", 'SET SEARCH_PATH TO "public", "b"'),
        ("begin transaction isolation level serializable", "BEGIN"),
        ("abort", "ROLLBACK"),
        (r"select '\\d', 'it\'s', 'it''s', '\''''", r"SELECT '\d', 'it''s', 'it''s', ''''''"),
        ('select "MixedCase" from "T"', 'SELECT "mixedcase" FROM "t"'),
        ("select nvl(a, 0) /* b -- */ from t -- c", 'SELECT coalesce("a", 0) FROM "t"'),
        ("select a from t minus select b from u", 'SELECT "a" FROM "t" EXCEPT SELECT "b" FROM "u"'),
        (
            "delete from songplays using incoming where songplays.id = incoming.id",
            'DELETE FROM "songplays" USING "incoming" WHERE "songplays"."id" = "incoming"."id"',
        ),
        ("select extract(dow from a) from t", 'SELECT CAST(trunc(date_part(\'dow\', "a")) AS integer) FROM "t"'),
        ("select datediff(hrs, a, b) from t", 'SELECT redshift_compat.datediff(\'hour\', "a", "b") FROM "t"'),
        (
            "select stl_load_errors.query from stl_load_errors",
            'SELECT "stl_load_errors"."query" FROM "redshift_compat"."stl_load_errors" AS "stl_load_errors"',
        ),
        (
            'create or replace view "s".v as with x as (select a from s.t) select a from x with no schema binding',
            'CREATE OR REPLACE VIEW "s"."v" AS WITH "x" AS (SELECT "a" FROM "s"."t") SELECT "a" FROM "x"',
        ),
        ("create table #t (a int)", 'CREATE TEMP TABLE "#t" ("a" integer)'),
        (
            "create table t (a varchar not null encode zstd, b numeric) diststyle key distkey(a)",
            'CREATE TABLE "t" ("a" varchar(256) NOT NULL CONSTRAINT "a_byte_limit" CHECK (octet_length("a") <= 256), '
            '"b" numeric(18, 0))',
        ),
        (
            "select sum(a) over (partition by b order by c rows between 1 preceding and current row) from t",
            'SELECT redshift_compat.sum("a") OVER (PARTITION BY "b" ORDER BY "c" '
            'rows BETWEEN 1 preceding AND CURRENT ROW) FROM "t"',
        ),
        (
            "select last_value(a) over (order by b rows between unbounded preceding and unbounded following) from t",
            'SELECT last_value("a") OVER (ORDER BY "b" rows BETWEEN UNBOUNDED preceding AND UNBOUNDED following) '
            'FROM "t"',
        ),
        (
            "select listagg(distinct a, ',') within group (order by a) from t",
            'SELECT redshift_compat.listed(string_agg(DISTINCT CAST("a" AS TEXT), \',\' ORDER BY CAST("a" AS TEXT))) '
            'FROM "t"',
        ),
        ("vacuum delete only t to 99 percent", 'VACUUM (ANALYZE) "t"'),
        ("vacuum boost", "VACUUM (ANALYZE)"),
        ("analyze t (a, b) predicate columns", 'ANALYZE "t"'),
        ("alter table t alter column a encode zstd", 'ALTER TABLE "t" ALTER COLUMN "a" SET STATISTICS -1'),
        (
            "alter default privileges in schema s grant select on tables to role analyst",
            'ALTER DEFAULT PRIVILEGES IN SCHEMA "s" GRANT SELECT ON TABLES TO "analyst"',
        ),
        ("grant select, insert on t, s.u to group g, public", 'GRANT SELECT, INSERT ON "t", "s"."u" TO "g", PUBLIC'),
        ("grant select (a, B) on t to role r", 'GRANT SELECT ( "a", "b" ) ON "t" TO "r"'),
        (
            'grant select on "T" to "IAMR:Loader", Ann, role "R"',
            'GRANT SELECT ON "t" TO "IAMR:Loader", "ann", "r"',
        ),
        (
            'grant role "R" to "IAM:Ann"',
            'GRANT "r" TO "IAM:Ann"',
        ),
        ('revoke usage on schema s from "IAMR:Loader"', 'REVOKE USAGE ON SCHEMA "s" FROM "IAMR:Loader"'),
        ('alter table "T" owner to "IAM:Ann"', 'ALTER TABLE "t" OWNER TO "IAM:Ann"'),
        ('drop user if exists "IAM:Ann", Bob', 'DROP USER IF EXISTS "IAM:Ann", "bob"'),
        (
            'alter default privileges for user "IAM:Ann" grant select on tables to "IAMR:Loader"',
            'ALTER DEFAULT PRIVILEGES FOR USER "IAM:Ann" GRANT SELECT ON TABLES TO "IAMR:Loader"',
        ),
        ('alter group "G" add user "IAM:Ann"', 'GRANT "g" TO "IAM:Ann"'),
        ("fetch forward 5 from c", 'FETCH FORWARD 5 FROM "c"'),
        ("comment on column s.t.a is 'it''s'", """COMMENT ON COLUMN "s"."t"."a" IS 'it''s'"""),
        (
            "select a::float4, a::float, a::text from t",
            'SELECT CAST("a" AS real), CAST("a" AS double precision), '
            'CAST(redshift_compat.to_varchar(CAST("a" AS text), 256) AS varchar(256)) FROM "t"',
        ),
        (
            "select regexp_replace(a, 'b', 'c', 1, 'i') from t",
            """SELECT regexp_replace("a", 'b', 'c', 1, 0, 'i') FROM "t\"""",
        ),
        ("select b, count(*) from t group by all", 'SELECT "b", count(*) FROM "t" GROUP BY 1'),
        ("select approximate count(distinct a) from t", 'SELECT count(DISTINCT "a") FROM "t"'),
        (
            r"select relname from pg_class where relname like 'a\\_b'",
            r"select relname from pg_class where relname like 'a\_b'",
        ),
        (
            "select constraint_name from information_schema.table_constraints",
            "select constraint_name from redshift_compat . table_constraints",
        ),
    ],
)
def test_redshift_text_becomes_this_postgresql_text(sql: str, sent: str) -> None:
    assert rewrite(sql) == (Send(sent),)


def test_a_longer_varchar_is_made_outside_of_transactions() -> None:
    assert rewrite("alter table t alter column a type varchar(9)") == (
        Script(
            "SELECT redshift_compat.outside_of_transactions('ALTER TABLE ALTER COLUMN'); "
            'ALTER TABLE "t" ALTER COLUMN "a" TYPE varchar(9), DROP CONSTRAINT "a_byte_limit", '
            'ADD CONSTRAINT "a_byte_limit" CHECK (octet_length("a") <= 9)',
            "ALTER TABLE",
        ),
    )


def test_a_sort_key_becomes_a_zone_map_over_it_and_every_date() -> None:
    (plan,) = rewrite("create table t (a timestamp sortkey, b int, c date, primary key (b)) distkey(b)")
    assert plan == Script(
        'CREATE TABLE "t" ("a" timestamp, "b" integer, "c" date, NOT NULL "b", '
        """CONSTRAINT "t_pkey" CHECK (ROW('PRIMARY KEY', "b") IS NOT NULL) NOT ENFORCED); """
        'CREATE INDEX IF NOT EXISTS "t_zone_map" ON "t" '
        'USING brin ("a", "c") WITH (pages_per_range = 128, autosummarize = on); '
        'ALTER TABLE "t" SET (autovacuum_vacuum_insert_threshold = -1)',
        "CREATE TABLE",
    )


def test_copy_is_read_with_all_its_options() -> None:
    text = (
        "copy t (a, B) from 's3://b/m' iam_role 'arn:aws:iam::1:role/x' manifest format as json 's3://b/p' gzip "
        "region 'us-west-2' maxerror as 5 timeformat 'epochmillisecs' truncatecolumns compupdate off statupdate"
    )
    assert rewrite(text + ";") == (
        Load(
            text, ("t",), ("a", "b"), "s3://b/m", "s3://b/p", manifest=True, gzip=True, max_errors=5,
            time_format="epochmillisecs", flags=frozenset({"TRUNCATECOLUMNS"}),
        ),
    )  # fmt: skip


def test_statements_are_cut_only_at_semicolons_outside_of_literals_and_comments() -> None:
    plans = rewrite("select ';' /* ; /* ; */ */ as \"a;\"; select 2 -- ;\n;")
    assert [plan.sql for plan in plans if isinstance(plan, Send)] == ["SELECT ';' AS \"a;\"", "SELECT 2"]
