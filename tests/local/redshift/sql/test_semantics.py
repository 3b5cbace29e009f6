"""What Redshift means by its statements, where PostgreSQL alone would mean something else."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import redshift_connector
from airflow.providers.amazon.aws.hooks.redshift_sql import RedshiftSQLHook

from tests.local.redshift.conftest import PASSWORD, Connect, StandIn


@pytest.fixture
def plays(warehouse: psycopg.Connection) -> psycopg.Connection:
    """A warehouse with the table plays: two songs of a and one without a song."""
    warehouse.execute("create table plays (user_id int, song varchar(9), level varchar(4))")
    warehouse.execute("insert into plays values (1, 'a', 'free'), (2, 'a', 'paid'), (2, null, 'paid')")
    return warehouse


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("decode(null, 1, 'one', null, 'none', 'other')", "none"),
        ("decode(3, 1, 'one', 2, 'two')", None),
        ("decode(3, 1, 'one', 'other')", "other"),
        ("json_extract_path_text('{\"a\": {\"b\": \"x\"}}', 'a', 'b')", "x"),
        ("json_extract_path_text('{\"a\": {\"b\": 5}}', 'a')", '{"b": 5}'),
        ("json_extract_path_text(null, 'z')", None),
        ("json_extract_array_element_text('[11, 12]', 1)", "12"),
        ("json_array_length('[11, {\"a\": [1, 2]}]')", 2),
        ("is_valid_json('{\"a\": 2}')", True),
        ("is_valid_json('[1, 2]')", False),
        ("is_valid_json('{{}}')", False),
        ("is_valid_json_array('[1, 2]')", True),
        ("regexp_instr('abcabc', 'C', 1, 2, 0, 'i')", 6),
        ("regexp_count('aAa', 'a', 2, 'i')", 2),
        ("regexp_substr('Mozilla/5.0 (X11)', '[0-9]+', 1, 2)", "0"),
        ("regexp_substr('abc', 'B', 1, 1, 'i')", "b"),
        ("regexp_replace('a1b2', '[0-9]')", "ab"),
        ("regexp_replace('a1b2', '[0-9]', 'x', 3)", "a1bx"),
        ("strtol('abcd1234', 16)", 2882343476),
        ("strtol('1234567', 8)", 342391),
        ("add_months('2008-04-30'::date, 1)", dt.datetime.fromisoformat("2008-05-31")),
        ("add_months('2008-03-31'::date, 1)", dt.datetime.fromisoformat("2008-04-30")),
        ("months_between('1969-01-18', '1969-03-18')", -2.0),
        ("round(months_between('2008-12-25 15:00', '2008-01-21 19:30')::decimal(9, 4), 2)::varchar", "11.12"),
        ("try_cast('x' as int)", None),
        ("try_cast('5' as int)", 5),
        ("cast('é1' as varchar(2))", "é"),
        ("'100%' like '100!%' escape '!'", True),
        ("stddev(a) from (select 1 as a union all select 3) as t", 2**0.5),
        ("top 1 a from (select 1 as a union all select 4) as t order by a desc", 4),
        ("7 / 2", 3),
    ],
)
def test_an_expression_gives_redshifts_value(warehouse: psycopg.Connection, expression: str, value: object) -> None:
    assert warehouse.execute(f"select {expression}").fetchone() == (value,)


@pytest.mark.parametrize(
    "expression",
    [
        "avg(1.5)",
        "strtol('zz', 16)",
        "json_extract_path_text('{\"a\": null}', 'a')",
        "json_extract_path_text('{\"a\": 1}', 'z')",
        "json_extract_array_element_text('[11, 12]', -1)",
    ],
)
def test_a_value_that_is_not_certain_is_refused(warehouse: psycopg.Connection, expression: str) -> None:
    with pytest.raises(psycopg.errors.FeatureNotSupported, match="does not know for certain"):
        warehouse.execute(f"select {expression}")


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("select * from plays p qualify row_number() over (partition by user_id order by song) = 1 order by user_id",
         [(1, "a", "free"), (2, "a", "paid")]),
        ("select user_id, rank() over (order by user_id desc) as place from plays where level = 'paid' "
         "qualify place = 1 and song is null", [(2, 1)]),
        ("select p.*, 1 as one from plays p qualify lag(user_id) over (order by user_id, song) is null",
         [(1, "a", "free", 1)]),
        ("select user_id, count(*) from plays group by user_id qualify rank() over (order by count(*) desc) = 1",
         [(2, 2)]),
        ("select level, count(*) from plays group by all order by level", [("free", 1), ("paid", 2)]),
        ("select level, grouping(level), count(*) from plays group by rollup (level) order by 3, 1",
         [("free", 0, 1), ("paid", 0, 2), (None, 1, 3)]),
        ("select user_id, level, count(*) from plays group by grouping sets (user_id, level) order by 1, 2",
         [(1, None, 1), (2, None, 2), (None, "free", 1), (None, "paid", 2)]),
        ("with recursive n (a) as (select 1 union all select a + 1 from n where a < 3) select a from n order by a",
         [(1,), (2,), (3,)]),
        ("select song from plays order by song desc limit 1", [(None,)]),
        ("select approximate count(distinct user_id) from plays", [(2,)]),
        ("select user_id from plays minus select 1", [(2,)]),
        ("select percentile_cont(0.5) within group (order by user_id), median(user_id) from plays", [(2.0, 2.0)]),
    ],
)  # fmt: skip
def test_a_query_gives_redshifts_rows(plays: psycopg.Connection, query: str, rows: list[tuple[object, ...]]) -> None:
    assert plays.execute(query).fetchall() == rows


def test_merge_updates_what_matches_and_inserts_the_rest(plays: psycopg.Connection) -> None:
    plays.execute("create table users (user_id int, level varchar(4))")
    plays.execute("insert into users values (1, 'paid'), (9, 'free')")
    plays.execute(
        "merge into users using plays as p on users.user_id = p.user_id and p.song is not null "
        "when matched then update set level = p.level when not matched then insert values (p.user_id, p.level)"
    )
    rows = plays.execute("select * from users order by 1, 2").fetchall()
    assert rows == [(1, "free"), (2, "paid"), (2, "paid"), (9, "free")]


def test_merge_that_removes_duplicates_replaces_what_matches(warehouse: psycopg.Connection) -> None:
    for table in ("target", "source"):
        warehouse.execute(f"create table {table} (id int, name varchar(9))")
    warehouse.execute("insert into target values (30, 'Tony'), (30, 'Tony'), (23, 'Bill')")
    warehouse.execute("insert into source values (23, 'David'), (23, 'David'), (22, 'Clarence')")
    warehouse.execute("merge into target using source on target.id = source.id remove duplicates")
    rows = warehouse.execute("select * from target order by id").fetchall()
    assert rows == [(22, "Clarence"), (23, "David"), (30, "Tony"), (30, "Tony")]


def test_merge_that_removes_duplicates_needs_tables_of_as_many_columns(plays: psycopg.Connection) -> None:
    plays.execute("create table users (user_id int, level varchar(4))")
    with pytest.raises(psycopg.errors.SyntaxError, match="same number of columns"):
        plays.execute("merge into plays using users on plays.user_id = users.user_id remove duplicates")


def test_append_moves_the_rows(plays: psycopg.Connection) -> None:
    plays.execute("create table archive (level varchar(4), user_id int, song varchar(9), kept int default 7)")
    with pytest.raises(psycopg.errors.DatatypeMismatch, match="kept is missing in the source"):
        plays.execute("alter table archive append from plays")
    plays.execute("alter table archive append from plays filltarget")
    assert plays.execute("select count(*), sum(kept) from archive").fetchone() == (3, 21)
    assert plays.execute("select count(*) from plays").fetchone() == (0,)


def test_append_wants_the_same_columns(plays: psycopg.Connection) -> None:
    plays.execute("create table archive (like plays)")
    plays.execute("alter table archive alter column song type varchar(20)")
    with pytest.raises(psycopg.errors.DatatypeMismatch, match="song has other attributes"):
        plays.execute("alter table archive append from plays")


def test_append_is_not_for_transactions(plays: psycopg.Connection) -> None:
    plays.execute("create table archive (like plays)")
    plays.execute("begin")
    with pytest.raises(psycopg.errors.ActiveSqlTransaction):
        plays.execute("alter table archive append from plays")


def test_identities_leave_gaps_and_cannot_be_given(warehouse: psycopg.Connection) -> None:
    warehouse.execute("create table x (id bigint identity(0, 1), n int default identity(1, 1), a int)")
    warehouse.execute("insert into x (a) values (1), (2)")
    first, second = warehouse.execute("select id, n from x order by a").fetchall()
    assert second[0] > first[0] + 1
    assert second[1] > first[1] + 1
    with pytest.raises(psycopg.errors.GeneratedAlways):
        warehouse.execute("insert into x (id, a) values (1, 1)")
    warehouse.execute("insert into x (n, a) values (1, 3)")


def test_keys_are_seen_and_not_enforced_but_for_null(warehouse: psycopg.Connection) -> None:
    warehouse.execute("create table a (x int, y int, z int unique, constraint my_key primary key (y, x))")
    warehouse.execute("create table b (x int references a (x))")
    warehouse.execute("insert into a values (1, 1, 1), (1, 1, 1)")
    warehouse.execute("insert into b values (5)")
    with pytest.raises(psycopg.errors.NotNullViolation):
        warehouse.execute("insert into a values (1, null, 1)")
    warehouse.execute("alter table a rename to c")
    found = warehouse.execute(
        "select t.table_name, t.constraint_type, k.constraint_name, k.column_name "
        "from information_schema.table_constraints t join information_schema.key_column_usage k "
        "on k.constraint_name = t.constraint_name where t.table_schema = 't' order by 1, 2, k.ordinal_position"
    ).fetchall()
    assert found == [
        ("b", "FOREIGN KEY", "b_x_fkey", "x"),
        ("c", "PRIMARY KEY", "my_key", "y"),
        ("c", "PRIMARY KEY", "my_key", "x"),
        ("c", "UNIQUE", "a_z_key", "z"),
    ]


def test_airflows_hook_finds_a_primary_key_and_like_does_not_copy_it(
    warehouse: psycopg.Connection, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.execute("create table x (b int, a int)")
    warehouse.execute("alter table x add primary key (b, a)")
    warehouse.execute("create table y (like x)")
    connection = {
        "conn_type": "redshift", "host": "127.0.0.1", "port": stand_in.port, "login": "loader", "password": PASSWORD,
        "schema": "dev", "extra": {"ssl": False},
    }  # fmt: skip
    monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT_DEFAULT", json.dumps(connection))
    hook = RedshiftSQLHook()
    assert set(hook.get_table_primary_key("x", "t") or []) == {"a", "b"}
    assert hook.get_table_primary_key("y", "t") is None


def test_a_foreign_key_needs_its_table(warehouse: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable, match="nowhere"):
        warehouse.execute("create table x (a int references nowhere (a))")
    with pytest.raises(psycopg.errors.UndefinedTable):
        warehouse.execute("select * from x")


def test_a_longer_varchar_is_limited_in_bytes_too(warehouse: psycopg.Connection) -> None:
    warehouse.execute("create table x (a varchar(3))")
    warehouse.execute("alter table x alter column a type varchar(4)")
    warehouse.execute("insert into x values ('éé')")
    for statement in ("insert into x values ('ééé')", "update x set a = 'éééé'"):
        with pytest.raises(psycopg.errors.StringDataRightTruncation):
            warehouse.execute(statement)


def test_another_sort_key_is_another_zone_map(plays: psycopg.Connection) -> None:
    maps = "select indexdef from pg_indexes where tablename = 'plays'"
    plays.execute("alter table plays alter sortkey (user_id)")
    plays.execute("alter table plays alter compound sortkey (level, user_id)")
    assert ["(level, user_id)" in str(row) for row in plays.execute(maps)] == [True]
    plays.execute("alter table plays alter sortkey none")
    assert plays.execute(maps).fetchall() == []


def test_attributes_without_effect_still_need_their_column(plays: psycopg.Connection) -> None:
    plays.execute("alter table plays alter distkey user_id")
    plays.execute("alter table plays alter column song encode zstd")
    plays.execute("alter table plays alter diststyle even")
    with pytest.raises(psycopg.errors.UndefinedColumn):
        plays.execute("alter table plays alter distkey nothing")


def test_a_cursor_reads_on(connect: Connect, plays: psycopg.Connection) -> None:
    with connect(autocommit=False) as session:
        session.execute("declare c cursor for select user_id from plays order by user_id, song")
        assert session.execute("fetch next from c").fetchall() == [(1,)]
        assert session.execute("fetch forward 5 from c").fetchall() == [(2,), (2,)]
        session.execute("close c")


def test_explain_shows_a_plan(plays: psycopg.Connection) -> None:
    assert "Scan" in str(plays.execute("explain select * from plays where user_id = 1").fetchall())


def test_sort_based_aggregates_of_one_query_must_sort_alike(plays: psycopg.Connection) -> None:
    with pytest.raises(psycopg.Error, match="must be the same"):
        plays.execute("select median(user_id), listagg(level) within group (order by song) from plays")


@pytest.fixture
def admin(stand_in: StandIn) -> Iterator[psycopg.Connection]:
    """An administrator's session of PostgreSQL; the loader may make roles meanwhile."""
    with psycopg.connect(stand_in.postgres.dsn("dev"), autocommit=True) as connection:
        connection.execute("alter role loader createrole")
        yield connection
        connection.execute("alter role loader nocreaterole")
        connection.execute("drop schema t cascade")
        for role in ("ann", "analyst", "readers"):
            connection.execute(f"drop role {role}")


def test_a_user_logs_in_by_the_password_of_which_the_statement_holds_a_digest(
    plays: psycopg.Connection, admin: psycopg.Connection, stand_in: StandIn
) -> None:
    def digest(password: str) -> str:
        return "md5" + hashlib.md5(f"{password}ann".encode(), usedforsecurity=False).hexdigest()

    def logged_in(password: str) -> list[Any]:
        with redshift_connector.connect(
            host="127.0.0.1", port=stand_in.port, user="ann", password=password, database="dev", ssl=False
        ) as connection:
            return list(connection.cursor().execute("select current_user").fetchone())

    for statement in ("create role analyst", "create group readers", f"create user ann password '{digest('One-1')}'"):
        plays.execute(statement)
    assert logged_in("One-1") == ["ann"]
    plays.execute(f"alter user ann password '{digest('Other-2')}'")
    assert logged_in("Other-2") == ["ann"]
    with pytest.raises(redshift_connector.Error, match="password authentication failed"):
        logged_in("One-1")


def test_an_analyst_reads_by_a_role_and_cannot_write(
    plays: psycopg.Connection, admin: psycopg.Connection, stand_in: StandIn
) -> None:
    for statement in (
        "create role analyst", "create group readers", "create user ann password 'Analyst-2018'",
        "grant usage on schema t to role analyst", "grant select on all tables in schema t to role analyst",
        "grant role analyst to ann", "alter group readers add user ann",
        "alter default privileges in schema t grant select on tables to role analyst",
    ):  # fmt: skip
        plays.execute(statement)
    plays.execute("create table later (a int)")
    with psycopg.connect(stand_in.dsn(), user="ann", password="Analyst-2018", autocommit=True) as analyst:
        assert analyst.execute("select count(*) from t.plays").fetchone() == (3,)
        assert analyst.execute("select count(*) from t.later").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            analyst.execute("delete from t.plays")
    admin.execute("alter default privileges for role loader in schema t revoke select on tables from analyst")


def test_a_pattern_with_a_backslash_reaches_the_catalogue_as_it_is(plays: psycopg.Connection) -> None:
    plays.execute("create table play_s (a int)")
    found = plays.execute(r"select relname from pg_class where relname like 'play\\_s' escape '\\'").fetchall()
    assert found == [("play_s",)]
