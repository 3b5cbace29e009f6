"""The views for analysts, and the role that may read them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import psycopg
import pytest
import redshift_connector

from local.stack import databases
from sparkify.loading.exceptions import DataError, SettingsError
from sparkify.operators.create_views import CreateViewsOperator
from tests.examples import AT, event, play, song
from tests.pipeline import WRITING, Pipeline

NOV_1 = date(2018, 11, 1)
SAFARI = (
    "Mozilla/5.0 (iPad; CPU OS 7_1_2 like Mac OS X) AppleWebKit/537.51.2 (KHTML, like Gecko) Version/7.0 Safari/9537"
)
PASSWORD = "Only-4-the-test"


@pytest.fixture
def empty(stack: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    """A schema of its own with the views."""
    made = Pipeline(stack, monkeypatch.setenv)
    made.run(dag_id="sparkify_schema")
    yield made
    made.drop()


@pytest.fixture
def analysts(empty: Pipeline) -> Pipeline:
    """That schema with a few plays."""
    empty.put_events(
        NOV_1,
        [
            play(userAgent=SAFARI),
            play(ts=AT + 1, length=1, level="paid"),
            play(ts=AT + 2, userId=None),
            event(ts=AT + 3, lastName="Silva", level="paid"),
        ],
    )
    empty.put({"song_data/A/A/A/TRA.json": json.dumps(song("SO1")).encode()})
    empty.run(NOV_1, only=WRITING)
    return empty


@pytest.fixture
def role() -> str:
    """The name of a role that is not there yet; its users' names begin with it."""
    return f"reader_{uuid.uuid4().hex[:12]}"


@pytest.fixture
def as_reader(stack: Any, role: str, analysts: Pipeline) -> Iterator[Callable[[str], Any]]:
    """Run a statement as a user who has the role and nothing else; give its rows."""
    user = f"{role}_user"

    def run(statement: str) -> Any:
        if not analysts.rows(f"select 1 from pg_catalog.pg_user where usename = '{user}'"):
            analysts.execute(f"create user {user} password '{PASSWORD}'")
            analysts.execute(f"grant role {role} to {user}")
        with redshift_connector.connect(**{**stack.redshift, "user": user, "password": PASSWORD}) as session:
            session.autocommit = True
            cursor = session.cursor()
            cursor.execute(f"set search_path to {analysts.schema}")
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else None

    yield run
    analysts.run(dag_id="sparkify_schema", rebuild=analysts.schema)
    analysts.execute(f"revoke usage on schema {analysts.schema} from role {role}")
    analysts.execute(f"drop user if exists {user}")
    analysts.execute(f"drop role {role}")


def views(pipeline: Pipeline, **params: str) -> list[str]:
    """What the DAG's task says that it created."""
    created: list[str] = pipeline.run(dag_id="sparkify_schema", **params)["views"]
    return created


def test_every_play_is_one_row_with_what_is_known_of_it(analysts: Pipeline) -> None:
    assert analysts.rows(
        "select hour, weekday_name, last_name, level, latest_level, song_title, artist_name, browser, platform"
        " from songplays_wide order by start_time"
    ) == [
        (0, "Thursday", "Silva", "free", "paid", "Jóga", "Björk", "Safari", "iPad"),
        (0, "Thursday", "Silva", "paid", "paid", None, None, "other", "other"),
        (0, "Thursday", None, "free", None, "Jóga", "Björk", "other", "other"),
    ]


def test_creating_again_replaces_and_takes_nothing_away(analysts: Pipeline) -> None:
    before = analysts.rows("select songplay_id from songplays_wide order by songplay_id")
    assert views(analysts) == ["songplays_wide"]
    assert analysts.rows("select songplay_id from songplays_wide order by songplay_id") == before


def test_a_rebuild_leaves_the_views_over_the_new_tables(analysts: Pipeline) -> None:
    assert views(analysts, rebuild=analysts.schema) == ["songplays_wide"]
    assert analysts.rows("select * from songplays_wide") == []


def test_the_daily_run_neither_needs_nor_makes_the_views(analysts: Pipeline) -> None:
    analysts.execute("drop view songplays_wide")
    analysts.run(NOV_1)
    with pytest.raises(SettingsError, match="songplays_wide"):
        analysts.rows("select * from songplays_wide")


def test_the_reader_role_reads_the_views_the_star_and_the_events_and_nothing_else(
    analysts: Pipeline, role: str, as_reader: Callable[[str], Any]
) -> None:
    views(analysts, reader_role=role)
    for relation in ("songplays_wide", "songplays", "users", "songs", "artists", "time", "staging_events"):
        assert as_reader(f"select count(*) from {relation}") is not None
    for statement in ("select * from load_history", "delete from users", "create table t (a int)"):
        with pytest.raises(redshift_connector.ProgrammingError, match="permission denied"):
            as_reader(statement)


def test_a_role_that_exists_is_granted_the_same_again(
    analysts: Pipeline, role: str, as_reader: Callable[[str], Any]
) -> None:
    analysts.execute(f"create role {role}")
    for _ in range(2):
        views(analysts, reader_role=role)
    assert as_reader("select count(*) from songplays_wide") == ([3],)


def test_a_role_that_somebody_else_made_is_not_seen_and_granted_all_the_same(empty: Pipeline, role: str) -> None:
    with psycopg.connect(databases.admin_dsn(empty.stack.home, databases.WAREHOUSE), autocommit=True) as administrator:
        administrator.execute(f"create role {role}")
        try:
            assert empty.rows(f"select role_name from svv_roles where role_name = '{role}'") == []
            views(empty, reader_role=role)
            granted = administrator.execute(
                f"select has_table_privilege('{role}', '{empty.schema}.songplays_wide', 'select')"
            )
            assert granted.fetchone() == (True,)
        finally:
            administrator.execute(f"drop owned by {role}")
            administrator.execute(f"drop role {role}")


def test_a_run_without_the_role_leaves_it_what_it_has(
    analysts: Pipeline, role: str, as_reader: Callable[[str], Any]
) -> None:
    views(analysts, reader_role=role)
    views(analysts)
    assert as_reader("select count(*) from songplays_wide") == ([3],)


def test_after_a_rebuild_the_role_that_is_given_with_it_reads_again(
    analysts: Pipeline, role: str, as_reader: Callable[[str], Any]
) -> None:
    views(analysts, reader_role=role)
    views(analysts, reader_role=role, rebuild=analysts.schema)
    assert as_reader("select count(*) from songplays_wide") == ([0],)


@pytest.mark.parametrize("name", ['a"; drop table users; --', "Analysts", "a" * 64, "sys:dba", "é", "a b", "a\n"])
def test_what_is_no_name_of_a_role_is_refused_before_anything_is_sent(name: str, empty: Pipeline) -> None:
    empty.execute("drop view songplays_wide")
    with pytest.raises(SettingsError, match="is not the name of a role; nothing was created"):
        views(empty, reader_role=name)
    with pytest.raises(SettingsError, match="songplays_wide"):
        empty.rows("select * from songplays_wide")


def test_a_view_with_other_columns_is_refused_in_the_warehouses_words(empty: Pipeline) -> None:
    empty.execute("drop view songplays_wide")
    empty.execute("create view songplays_wide as select songplay_id as other from songplays")
    with pytest.raises(DataError, match="cannot change name of view column"):
        views(empty)


@pytest.mark.parametrize(
    "text",
    [
        "create view v as select 1",
        'create or replace view "{{ schema }}".v as select a from "{{ schema }}".t',
        "create or replace view v as select a from s.t with no schema binding",
        "drop view v",
    ],
)
def test_a_file_that_holds_anything_else_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="A view's file holds .*Expected one 'create or replace view"):
        CreateViewsOperator(task_id="views", sql=[text])._views()
