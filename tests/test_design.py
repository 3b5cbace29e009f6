"""The project's rules on what stands where hold, and would be noticed if they did not."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.design_rules import (
    PRODUCTION,
    circles_of_imports,
    dags_that_leave_arguments_to_defaults,
    importing_what_a_room_may_not,
    names_that_hide_each_other,
    naming_the_local_package,
    python_files,
    rooms_that_import_each_other,
    settings_from_elsewhere_than_connections,
    sql_in_dag_files,
    telling_the_real_warehouse_from_another,
    text_files,
)
from tests.parsing.parsed_dags import Parsed, parse

PROJECT = Path(__file__).resolve().parents[1]

Rule = Callable[[Path], list[str]]

RULES: list[Rule] = [
    naming_the_local_package,
    importing_what_a_room_may_not,
    rooms_that_import_each_other,
    circles_of_imports,
    telling_the_real_warehouse_from_another,
    settings_from_elsewhere_than_connections,
    sql_in_dag_files,
    dags_that_leave_arguments_to_defaults,
    names_that_hide_each_other,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_project_is_free_of(rule: Rule) -> None:
    complaints = rule(PROJECT)
    assert not complaints, "\n".join(["", *complaints])


def test_there_is_something_to_look_at() -> None:
    assert {path.name for path in python_files(PROJECT / "dags")} >= {"sparkify_daily.py", "sparkify_schema.py"}
    assert len(python_files(PROJECT / "plugins" / "sparkify" / "operators")) >= 4
    assert len(python_files(PROJECT / "local")) > 10
    for folder in ("schema", "facts", "dimensions", "quality"):
        assert list((PROJECT / "include" / "sql" / folder).rglob("*.sql")), folder
    for room in PRODUCTION:
        assert text_files(PROJECT / room), room


@pytest.mark.parametrize(
    "path",
    ["dags", "plugins", "include/sql", "tests", "docker-compose.yaml", "requirements.txt", "README.md"],
)
def test_the_top_level_holds(path: str) -> None:
    assert (PROJECT / path).exists(), f"{path} is missing: its place is fixed, as deployments look there"


BROKEN: list[tuple[Rule, str, str, str]] = [
    (naming_the_local_package, "dags/a.py", "\nimport local.s3", "a.py:2"),
    (naming_the_local_package, "plugins/sparkify/a.py", "from local import s3", "a.py:1"),
    (naming_the_local_package, "plugins/sparkify/a.py", "m = import_module('local.s3')", "a.py:1"),
    (naming_the_local_package, "include/sql/a.sql", "-- see local/redshift", "a.sql:1"),
    (naming_the_local_package, "dags/a.py", "# or `python -m local up`", "a.py:1"),
    (importing_what_a_room_may_not, "dags/a.py", "import boto3", "imports boto3"),
    (importing_what_a_room_may_not, "plugins/sparkify/a.py", "def f():\n    import pandas as p", "a.py:2"),
    (
        importing_what_a_room_may_not,
        "plugins/sparkify/a.py",
        "from tests import examples",
        "imports tests",
    ),
    (importing_what_a_room_may_not, "local/a.py", "from sparkify_daily import dag", "sparkify_daily"),
    (importing_what_a_room_may_not, "local/a.py", "import dags.sparkify_daily", "dags.sparkify_daily"),
    (importing_what_a_room_may_not, "include/sql/a.py", "", "a.py:1"),
    (rooms_that_import_each_other, "plugins/sparkify/loading/a.py", "from sparkify.operators import b", "a.py:1"),
    (rooms_that_import_each_other, "plugins/sparkify/operators/a.py", "\nimport sparkify.ui.b", "a.py:2"),
    (rooms_that_import_each_other, "plugins/sparkify/report/a.py", "from sparkify.ui.b import c", "a.py:1"),
    (rooms_that_import_each_other, "plugins/sparkify/a.py", "from sparkify.operators.b import c", "a.py:1"),
    (rooms_that_import_each_other, "local/redshift/a.py", "from local.stack import ports", "a.py:1"),
    (circles_of_imports, "plugins/sparkify/ui/circle.py", "from sparkify.ui.page import a", "circle.py:1"),
    (circles_of_imports, "local/s3.py", "from local import s3_other", "s3_other.py:1"),
    (telling_the_real_warehouse_from_another, "plugins/a.py", "# the stand-in", "a.py:1"),
    (telling_the_real_warehouse_from_another, "include/sql/a.sql", "select version()", "a.sql:1"),
    (telling_the_real_warehouse_from_another, "plugins/a.py", "h = '127.0.0.1'", "a.py:1"),
    (telling_the_real_warehouse_from_another, "plugins/a.py", "\nif c.host == x: pass", "a.py:2"),
    (telling_the_real_warehouse_from_another, "plugins/a.py", "a = 1 if 'host' in c else 2", "a.py:1"),
    (telling_the_real_warehouse_from_another, "dags/a.py", "[t for t in ts if is_local]", "a.py:1"),
    (settings_from_elsewhere_than_connections, "dags/a.py", "from airflow.sdk import Variable", "a.py:1"),
    (settings_from_elsewhere_than_connections, "plugins/a.py", "import os\nos.environ['A']", "a.py:2"),
    (settings_from_elsewhere_than_connections, "plugins/a.py", "import os\nos.getenv('A')", "a.py:2"),
    (sql_in_dag_files, "dags/a.py", "sql = 'select 1 from t'", "a.py:1"),
    (sql_in_dag_files, "dags/a.py", "\nf('''\nDELETE\nFROM t''')", "a.py:2"),
    (sql_in_dag_files, "dags/a.py", "f(f'insert into {t} values (1)')", "a.py:1"),
    (sql_in_dag_files, "dags/a.py", "f('create table if not exists t (a int)')", "a.py:1"),
    (dags_that_leave_arguments_to_defaults, "dags/a.py", "x = 1", "makes no DAG"),
    (
        dags_that_leave_arguments_to_defaults,
        "dags/a.py",
        "\nDAG(dag_id='a', tags=['a'])",
        "leaves catchup",
    ),
    (names_that_hide_each_other, "dags/sparkify.py", "", "has the name of plugins/sparkify/__init__.py"),
    (names_that_hide_each_other, "dags/sparkify_plugin.py", "", "has the name of plugins/sparkify_plugin"),
    (names_that_hide_each_other, "plugins/json.py", "", "Python's own"),
    (names_that_hide_each_other, "plugins/operators/__init__.py", "", "does not list operators/"),
]

SOUND_DAG = '''"""What to do: see `select * from load_history`."""
from airflow.sdk import DAG
with DAG(dag_id="sparkify_daily", catchup=False, description="Copy users from S3", doc_md=__doc__, max_active_runs=1,
         schedule=None, start_date=None, tags=["a"]):
    pass
'''


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """The smallest project that keeps every rule."""
    for path, content in {
        "dags/sparkify_daily.py": SOUND_DAG,
        "plugins/.airflowignore": "sparkify/\n",
        "plugins/sparkify_plugin.py": "",
        "plugins/sparkify/__init__.py": '"""Local time, a location, and locals."""',
        "include/sql/facts/songplays.sql": "select 1 as one from location",
        "plugins/sparkify/loading/__init__.py": "",
        "plugins/sparkify/operators/__init__.py": "from sparkify.loading import a",
        "plugins/sparkify/ui/__init__.py": "",
        "plugins/sparkify/ui/page.py": "from sparkify.ui import circle\nfrom sparkify.loading import a",
        "local/__init__.py": "",
        "local/s3_other.py": "import local.s3",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content)
    return tmp_path


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_sound_project_gives_no_cause_for_complaint(rule: Rule, sound: Path) -> None:
    assert rule(sound) == []


@pytest.mark.parametrize(("rule", "path", "content", "complaint"), BROKEN)
def test_a_broken_rule_is_noticed(rule: Rule, path: str, content: str, complaint: str, sound: Path) -> None:
    (sound / path).parent.mkdir(parents=True, exist_ok=True)
    (sound / path).write_text(content)
    complaints = rule(sound)
    assert any(complaint in found for found in complaints), complaints


def production_alone(project: Path, folder: Path) -> Path:
    """A copy of *project* without local/ and tests/."""
    for room in PRODUCTION:
        shutil.copytree(project / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> Parsed:
    """The project's DAGs, parsed where nothing but production is."""
    project = production_alone(PROJECT, tmp_path_factory.mktemp("production"))
    return parse(project, tmp_path_factory.mktemp("airflow"))


def test_every_dag_file_is_imported_with_local_and_tests_deleted(parsed: Parsed) -> None:
    assert parsed.import_errors == {}
    assert {dag["file"] for dag in parsed.dags.values()} == {path.name for path in python_files(PROJECT / "dags")}


def test_parsing_opens_no_connection_no_variable_and_no_file_outside_include(parsed: Parsed) -> None:
    assert parsed.dags
    assert parsed.touched == []


def test_every_dag_id_is_its_files_name(parsed: Parsed) -> None:
    assert parsed.dags
    for dag_id, dag in parsed.dags.items():
        assert dag["file"] == f"{dag_id}.py", f"{dag['file']} makes the DAG {dag_id}"


def test_every_dag_says_what_it_is_whose_it_is_and_does_not_catch_up(parsed: Parsed) -> None:
    assert parsed.dags
    for dag_id, dag in parsed.dags.items():
        assert (dag["doc_md"] or "").strip(), f"{dag_id} has no doc_md"
        assert "fail" in dag["doc_md"].lower(), f"{dag_id}: its doc_md does not say what to do when it fails"
        assert dag["tags"], f"{dag_id} has no tags"
        assert dag["owner"] not in ("", "airflow"), f"{dag_id} has no owner"
        assert dag["catchup"] is False, f"{dag_id} would catch up with every date since its start"
        assert dag["start_date"], f"{dag_id} has no start date"


def test_every_task_says_what_it_does_and_whose_it_is(parsed: Parsed) -> None:
    assert parsed.dags
    for dag_id, dag in parsed.dags.items():
        assert dag["tasks"], f"{dag_id} has no task"
        for task_id, task in dag["tasks"].items():
            assert (task["doc_md"] or "").strip(), f"{dag_id}.{task_id} has no doc_md"
            assert task["owner"] not in ("", "airflow"), f"{dag_id}.{task_id} has no owner"


NOSY_DAG = """\
import contextlib
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

from airflow.sdk import DAG, BaseHook, Variable

HERE = Path(__file__).resolve().parents[1]
(HERE / "include" / "known.sql").read_text()
(HERE / "secret.txt").read_text()
(HERE / "include" / "written.sql").write_text("")
sqlite3.connect(":memory:")
subprocess.run([sys.executable, "-c", ""], check=True)
with contextlib.suppress(Exception):
    Variable.get("bucket")
with contextlib.suppress(Exception):
    BaseHook.get_connection("aws_default")
with contextlib.suppress(OSError):
    socket.create_connection(("127.0.0.1", 9), timeout=1)
with DAG(dag_id="nosy"):
    pass
"""


def test_a_dag_that_looks_around_while_it_is_parsed_is_noticed(sound: Path) -> None:
    (sound / "secret.txt").write_text("")
    (sound / "include" / "known.sql").write_text("")
    (sound / "dags" / "nosy.py").write_text(NOSY_DAG)
    (sound / "airflow").mkdir()
    nosy = parse(sound, sound / "airflow")
    assert "nosy" in nosy.dags
    assert not any("known.sql" in note for note in nosy.touched)
    for note in (
        f"opened {(sound / 'secret.txt').resolve()}",
        f"opened {(sound / 'include' / 'written.sql').resolve()}",
        "sqlite3.connect :memory:",
        "asked for the Variable bucket",
        "asked for the connection aws_default",
        "socket.connect ('127.0.0.1', 9)",
    ):
        assert note in nosy.touched, (note, nosy.touched)
    assert any(note.startswith("started ") for note in nosy.touched), nosy.touched
