from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

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
    "qualify": "select a from t qualify row_number() over (order by a) = 1",
    "no frame": "select sum(a) over (order by a) from t",
    "outer join mark": "select * from t, u where t.a(+) = u.a",
    "unknown function": "select array_agg(a) from t",
    "series": "select * from generate_series(1, 3)",
    "unknown type": "select a::jsonb from t",
    "hidden column": "select ctid from t",
    "select into": "select a into u from t",
    "recursive": "with recursive x as (select 1) select * from x",
    "values as a table": "select * from (values (1)) as v",
    "escape string": r"select E'\n'",
    "backslash": r"select 'a\nb'",
    "adjoining literals": "select 'a' 'b'",
    "dollar quotes": "select $$a$$",
    "long name": f"select {'a' * 64} from t",
    "replacement reference": r"select regexp_replace(a, '(b)', '$1') from t",
    "date part": "select date_part(millennium, a) from t",
    "super": "create table t (a super)",
    "identity": "create table t (a int identity(0, 1))",
    "check": "create table t (a int check (a > 1))",
    "late binding": "create view v as select a from t with no schema binding",
    "unknown parameter": "set enable_hashjoin to off",
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
        ("set search_path to Public, b", 'SET search_path TO "public", "b"'),
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
            "create temp table incoming (like staging_events including defaults)",
            'CREATE TEMP TABLE "incoming" (LIKE "staging_events" INCLUDING CONSTRAINTS INCLUDING DEFAULTS)',
        ),
        ("create table #t (a int)", 'CREATE TEMP TABLE "#t" ("a" integer)'),
        (
            "create table t (a varchar not null encode zstd, b numeric) diststyle key distkey(a)",
            'CREATE TABLE "t" ("a" varchar(256) CONSTRAINT "a_byte_limit" CHECK (octet_length("a") <= 256) NOT NULL, '
            '"b" numeric(18, 0))',
        ),
        (
            "select sum(a) over (partition by b order by c rows between 1 preceding and current row) from t",
            'SELECT sum("a") OVER (PARTITION BY "b" ORDER BY "c" rows BETWEEN 1 preceding AND CURRENT ROW) FROM "t"',
        ),
        (
            "select last_value(a) over (order by b rows between unbounded preceding and unbounded following) from t",
            'SELECT last_value("a") OVER (ORDER BY "b" rows BETWEEN UNBOUNDED preceding AND UNBOUNDED following) '
            'FROM "t"',
        ),
        (
            "select listagg(distinct a, ',') within group (order by a) from t",
            'SELECT string_agg(DISTINCT CAST("a" AS TEXT), \',\' ORDER BY CAST("a" AS TEXT)) FROM "t"',
        ),
        ("vacuum delete only t to 99 percent", 'VACUUM (ANALYZE) "t"'),
    ],
)
def test_redshift_text_becomes_this_postgresql_text(sql: str, sent: str) -> None:
    assert rewrite(sql) == (Send(sent),)


def test_a_sort_key_becomes_a_zone_map_over_it_and_every_date() -> None:
    (plan,) = rewrite("create table t (a timestamp sortkey, b int, c date, primary key (b)) distkey(b)")
    assert plan == Script(
        'CREATE TABLE "t" ("a" timestamp, "b" integer NOT NULL, "c" date); CREATE INDEX IF NOT EXISTS "t_zone_map" ON '
        '"t" USING brin ("a", "c") WITH (pages_per_range = 128, autosummarize = on); '
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


WORDS = st.sampled_from(
    [
        "select",
        "from",
        "where",
        "t",
        "a",
        "1",
        "'x'",
        "(",
        ")",
        ",",
        ".",
        ";",
        "::",
        "*",
        "+",
        "=",
        "create",
        "table",
        "insert",
        "into",
        "values",
        "copy",
        "'s3://b/k'",
        "json",
        "format",
        "with",
        "as",
        "over",
        "partition",
        "by",
        "order",
        "union",
        "all",
        "case",
        "when",
        "then",
        "end",
        "cast",
        "interval",
        '"',
        "'",
        "$1",
        "#",
        "--",
        "/*",
        "*/",
        "not",
        "null",
        "in",
        "exists",
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.text(), st.lists(WORDS, max_size=25).map(" ".join)))
@example("select " + "(" * 3000)
@example("select " + "(" * 40 + "1" + ")" * 40)
@example("\0")
def test_any_text_becomes_plans_or_a_refusal(text: str) -> None:
    for plan in rewrite(text):
        assert isinstance(plan, Send | Script | Refuse | Load)
