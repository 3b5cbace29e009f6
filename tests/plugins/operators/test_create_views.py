"""The views for analysts, and the role that may read them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any

import psycopg
import pytest
import redshift_connector

from local.stack import databases
from sparkify.loading.exceptions import DataError, SettingsError
from sparkify.operators.create_views import CreateViewsOperator
from sparkify.tables import STAR
from tests.examples import AT, event, play, song
from tests.pipeline import WRITING, Pipeline

NOV_1 = date(2018, 11, 1)
SAFARI = (
    "Mozilla/5.0 (iPad; CPU OS 7_1_2 like Mac OS X) AppleWebKit/537.51.2 (KHTML, like Gecko) Version/7.0 Safari/9537"
)
VIEWS = ["songplays_wide", "songplays_without_names"]
PERSONAL = ("first_name", "last_name", "location", "user_agent")
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
    assert views(analysts) == VIEWS
    assert analysts.rows("select songplay_id from songplays_wide order by songplay_id") == before


def test_a_rebuild_leaves_the_views_over_the_new_tables(analysts: Pipeline) -> None:
    assert views(analysts, rebuild=analysts.schema) == VIEWS
    assert analysts.rows("select * from songplays_wide") == []


def test_the_daily_run_neither_needs_nor_makes_the_views(analysts: Pipeline) -> None:
    analysts.execute("drop view songplays_wide")
    analysts.run(NOV_1)
    with pytest.raises(SettingsError, match="songplays_wide"):
        analysts.rows("select * from songplays_wide")


def refused(as_reader: Callable[[str], Any], statements: Iterable[str]) -> list[str]:
    """Those of these statements that a reader may not run."""
    found = []
    for statement in statements:
        try:
            as_reader(statement)
        except redshift_connector.ProgrammingError as error:
            if "permission denied" not in str(error):
                raise
            found.append(statement)
    return found


NOBODYS = ["select * from load_history", "select * from staging_rejects", "delete from users", "create table t (a int)"]
NAMES = [
    "select * from users",
    "select first_name from users",
    "select last_name from users",
    "select location from songplays",
    "select user_agent from songplays",
    "select * from songplays_wide",
    "select user_id from staging_events",
]
OTHERS = [
    *(f"select count(*) from {table.name}" for table in STAR),
    "select user_id, gender, level, last_seen_at from users",
    "select songplay_id, start_time, user_id, level, session_id, log_date from songplays",
    "select * from songplays_without_names",
]


def test_the_reader_role_reads_what_names_nobody(
    analysts: Pipeline, role: str, as_reader: Callable[[str], Any]
) -> None:
    views(analysts, reader_role=role)
    assert refused(as_reader, [*OTHERS, *NAMES, *NOBODYS]) == [*NAMES, *NOBODYS]


def test_the_role_for_personal_data_reads_every_column(
    analysts: Pipeline, role: str, as_reader: Callable[[str], Any]
) -> None:
    views(analysts, pii_role=role)
    assert refused(as_reader, [*OTHERS, *NAMES, *NOBODYS]) == NOBODYS


def test_what_the_reader_role_had_before_is_taken_from_it(
    analysts: Pipeline, role: str, as_reader: Callable[[str], Any]
) -> None:
    analysts.execute(f"create role {role}")
    relations = ", ".join(("songplays_wide", "staging_events", "users", "songplays"))
    analysts.execute(f"grant select on {relations} to role {role}")
    views(analysts, reader_role=role)
    assert refused(as_reader, [*OTHERS, *NAMES]) == NAMES


def test_no_column_that_may_name_a_person_is_in_the_view_without_names(analysts: Pipeline) -> None:
    with analysts.session() as warehouse:
        wide, narrow = (warehouse.columns(view) for view in VIEWS)
    assert [column for column in wide if column not in narrow] == list(PERSONAL)


def test_one_role_is_not_both(empty: Pipeline, role: str) -> None:
    with pytest.raises(SettingsError, match=f"reader_role and pii_role are both '{role}'; nothing was created"):
        views(empty, reader_role=role, pii_role=role)


def test_a_role_that_exists_is_granted_the_same_again(
    analysts: Pipeline, role: str, as_reader: Callable[[str], Any]
) -> None:
    analysts.execute(f"create role {role}")
    for _ in range(2):
        views(analysts, reader_role=role)
    assert as_reader("select count(*) from songplays_without_names") == ([3],)


def test_a_role_that_somebody_else_made_is_not_seen_and_granted_all_the_same(empty: Pipeline, role: str) -> None:
    with psycopg.connect(databases.admin_dsn(empty.stack.home, databases.WAREHOUSE), autocommit=True) as administrator:
        administrator.execute(f"create role {role}")
        try:
            assert empty.rows(f"select role_name from svv_roles where role_name = '{role}'") == []
            views(empty, reader_role=role)
            granted = administrator.execute(
                f"select has_table_privilege('{role}', '{empty.schema}.songplays_without_names', 'select')"
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
    assert as_reader("select count(*) from songplays_without_names") == ([3],)


def test_after_a_rebuild_the_role_that_is_given_with_it_reads_again(
    analysts: Pipeline, role: str, as_reader: Callable[[str], Any]
) -> None:
    views(analysts, reader_role=role)
    views(analysts, reader_role=role, rebuild=analysts.schema)
    assert as_reader("select count(*) from songplays_without_names") == ([0],)


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
