"""Every SQL file: rendered as Airflow renders it, read as Redshift's dialect, and run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path, PurePath
from typing import Any

import jinja2
import pytest
import sqlglot

from sparkify.loading.bounds import Names, filled
from sparkify.loading.log_dates import LogDates
from sparkify.operators.create_tables import NAME
from sparkify.operators.create_views import VIEW
from sparkify.tables import dated_tables
from tests.pipeline import PROJECT, Pipeline

SQL = PROJECT / "include" / "sql"
# Macros are parts of others, and tests/include/test_migrations.py runs the migrations.
FILES = sorted(
    str(file.relative_to(SQL)) for file in SQL.rglob("*.sql") if file.parent.name not in ("macros", "migrations")
)
DATES = LogDates(date(2018, 11, 1), date(2018, 11, 2))
# The temporary tables that a file reads, as a load makes them.
KEYS = {
    "songplays": "songplay_id varchar(32), start_time timestamp, ts bigint",
    "users": "user_id integer, ts bigint",
    "songs": "song_id varchar(64)",
    "artists": "artist_id varchar(64)",
    "time": "start_time timestamp",
}
# As a load puts them in, of keys of which some have no time.
BOUNDS = {
    "ts": "ts between '1541030400000' and '1541116799999'",
    "ts_is_missing": "1 = 1",
    "start_time": "start_time between '2018-11-01' and '2018-11-02'",
    "length": "length in ('180.12345', '200')",
}


def render(name: str) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(SQL), undefined=jinja2.StrictUndefined, autoescape=False
    )
    return environment.get_template(name).render(
        log_dates=DATES, schema="public", bounds=Names(), dated_tables=dated_tables()
    )


def statements(name: str) -> list[str]:
    return [statement.strip() for statement in render(name).split(";") if statement.strip()]


def test_there_are_files_of_every_kind() -> None:
    assert {name.split("/")[0] for name in FILES} == {
        "schema", "facts", "dimensions", "keys", "queue", "bounds", "quality", "analytics", "report",
    }  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_it_is_redshift_sql(name: str) -> None:
    for statement in statements(name):
        parsed = sqlglot.parse_one(statement, read="redshift", error_level=sqlglot.ErrorLevel.RAISE)
        assert not isinstance(parsed, sqlglot.exp.Command), f"{name}: {statement[:80]}"


@pytest.mark.parametrize("name", [name for name in FILES if not name.startswith("schema/")])
def test_a_file_that_says_what_rows_is_one_select(name: str) -> None:
    (statement,) = statements(name)
    parsed = sqlglot.parse_one(statement, read="redshift")
    assert isinstance(parsed, sqlglot.exp.Select | sqlglot.exp.SetOperation), name
    assert not re.search(r"\b(truncate|merge|drop)\b", statement, re.IGNORECASE), name


@pytest.mark.parametrize("name", [name for name in FILES if PurePath(name).parent.name == "schema"])
def test_a_schema_file_only_creates_what_is_missing(name: str) -> None:
    for statement in statements(name):
        assert NAME.match(statement), f"{name}: {statement[:80]}"


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("schema/views/")])
def test_a_views_file_creates_the_view_it_is_named_for(name: str) -> None:
    found = VIEW.fullmatch(render(name))
    assert found
    assert found[2] == PurePath(name).stem


@pytest.fixture(scope="module")
def module_pipeline(stack: Any) -> Iterator[Pipeline]:
    with pytest.MonkeyPatch.context() as patch:
        made = Pipeline(stack, patch.setenv)
        made.run(dag_id="sparkify_schema")
        yield made
        made.drop()


@pytest.mark.parametrize("name", [name for name in FILES if not name.startswith("schema/")])
def test_it_runs(name: str, module_pipeline: Pipeline) -> None:
    (statement,) = statements(name)
    with module_pipeline.session() as warehouse:
        if name.startswith("queue/"):
            for temporary in ("added", "removed"):
                source = "songplays" if name.endswith("_of_songplays.sql") else "staging_songs"
                warehouse.execute(f"create temp table {temporary} (like {source})")
        if name.startswith(("facts/", "dimensions/")):
            warehouse.execute(f"create temp table keys ({KEYS[Path(name).stem]})")
        rows = warehouse.rows(filled(statement, BOUNDS))
    # What the report asks of the whole is one row, however little there is.
    assert rows == [] or (name.startswith(("report/", "bounds/")) and len(rows) == 1 and not any(rows[0]))


def test_a_table_has_the_columns_of_the_contract_in_its_order(module_pipeline: Pipeline) -> None:
    contract = {
        "staging_events": "artist auth first_name gender item_in_session last_name length level location method page"
        " registration session_id song status ts user_agent user_id log_date",
        "staging_songs": "num_songs artist_id artist_latitude artist_longitude artist_location artist_name song_id"
        " title duration year folder",
        "songplays": "songplay_id start_time user_id level song_id artist_id session_id location user_agent log_date",
        "users": "user_id first_name last_name gender level last_seen_at",
        "songs": "song_id title artist_id year duration",
        "artists": "artist_id name location latitude longitude",
        "time": "start_time hour day week month year weekday",
    }
    with module_pipeline.session() as warehouse:
        for table, columns in contract.items():
            assert warehouse.columns(table) == columns.split(), table


def test_the_keys_are_those_of_the_contract() -> None:
    ddl = " ".join(render("schema/star.sql").split())
    for table, keys in {
        "songplays": "distkey (start_time) sortkey (start_time)",
        "users": "diststyle all sortkey (user_id)",
        "songs": "distkey (song_id)",
        "artists": "distkey (artist_id)",
        "time": "distkey (start_time) sortkey (start_time)",
    }.items():
        assert re.search(rf"exists {table} \(.*?\) {re.escape(keys)};", ddl), table
