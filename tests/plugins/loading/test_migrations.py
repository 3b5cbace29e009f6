"""What a migration's file is, and one that no transaction can hold."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from sparkify.loading.exceptions import DataError, SettingsError
from sparkify.loading.migrations import Migration, Migrations
from sparkify.operators.create_tables import CreateTablesOperator
from tests.pipeline import Pipeline

USERS = "create table if not exists users (user_id integer)"
VERSION = "create table if not exists schema_version (version integer, name varchar(128), applied_at timestamp)"


def migrated(pipeline: Pipeline, **scripts: str) -> list[str]:
    """Run these scripts in the pipeline's schema."""
    operator = CreateTablesOperator(
        task_id="tables", sql=[VERSION, USERS], migrations=[f"{name}.sql" for name in scripts], migrate=True
    )
    operator.migrations = list(scripts.values())
    ti = SimpleNamespace(dag_id="shop", run_id="run", task_id="tables", try_number=1)
    context: Any = {"ti": ti, "run_id": "run", "params": {}}
    return operator.execute(context)


def test_a_file_says_why_what_it_makes_and_what_it_runs() -> None:
    text = """
-- Sizes of shirts.
-- They were forgotten.
-- makes: shirts.size
alter table shirts add column size varchar(8);

-- Of before.
update shirts set size = 'M; or L';
"""
    script = Migration.from_text("migrations/0007_sizes.sql", text)
    assert (script.number, script.name, script.makes) == (7, "0007_sizes.sql", "shirts.size")
    assert script.reason == "Sizes of shirts. They were forgotten."
    assert script.statements == (
        "alter table shirts add column size varchar(8)",
        "update shirts set size = 'M; or L'",
    )
    assert script.in_transaction


@pytest.mark.parametrize(
    ("file", "text", "sentence"),
    [
        ("1_sizes.sql", "-- Why.\nselect 1;", "1_sizes.sql is no name of a migration. Expected NNNN_name.sql"),
        ("0001_sizes.sql", "select 1;", "0001_sizes.sql: expected comments that say what it does and why"),
        ("0001_sizes.sql", "-- Why.\n", "0001_sizes.sql: expected comments .* then statements"),
        ("0001_sizes.sql", "-- Why.\n-- transaction: some\nselect 1;", "transaction is 'some'. Expected none"),
    ],
)
def test_another_file_is_refused_in_words(file: str, text: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        Migration.from_text(file, text)


@pytest.mark.parametrize("numbers", [(1, 3), (1, 1), (2,)])
def test_numbers_are_without_a_gap_and_each_there_once(numbers: tuple[int, ...]) -> None:
    with pytest.raises(SettingsError, match="Number them without a gap, each number once"):
        Migrations([Migration.from_text(f"{number:04}_a.sql", "-- Why.\nselect 1;") for number in numbers])


def test_a_script_that_fails_leaves_nothing_and_runs_again(pipeline: Pipeline) -> None:
    pipeline.execute("delete from schema_version")
    broken = "-- Why.\ninsert into users (user_id) values (5);\ninsert into users (user_id) values ('x');"
    with pytest.raises(DataError):
        migrated(pipeline, **{"0001_a": broken})
    assert pipeline.rows("select user_id from users") == []
    assert pipeline.rows("select version from schema_version") == []
    migrated(pipeline, **{"0001_a": broken.replace("'x'", "6")})
    assert pipeline.rows("select user_id from users order by 1") == [(5,), (6,)]
    assert pipeline.rows("select version from schema_version") == [(1,)]
    migrated(pipeline, **{"0001_a": broken.replace("'x'", "6")})
    assert pipeline.rows("select count(*) from users") == [(2,)]


def test_a_script_of_no_transaction_goes_on_where_a_statement_failed(
    pipeline: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline.execute("delete from schema_version")
    head = (
        "-- Why.\n-- transaction: none\ndelete from users where user_id = 5;\ninsert into users (user_id) values (5);\n"
    )
    with pytest.raises(DataError):
        migrated(pipeline, **{"0001_a": head + "insert into users (user_id) values ('x');"})
    assert pipeline.rows("select user_id from users") == [(5,)]
    migrated(pipeline, **{"0001_a": head + "insert into users (user_id) values (6);"})
    assert pipeline.rows("select user_id from users order by 1") == [(5,), (6,)]
    assert "by 0001_a.sql. Why." in capsys.readouterr().out
