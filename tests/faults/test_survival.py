"""The table of what is survived: which phases there are, and what makes a hole."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.survival import COMMITTING, ENDINGS, LOADS, SCHEMAS, STRUCK, TASKS, Survivals, Table, phases, places
from tests.pipeline import PROJECT, load_dag

LOAD = {
    "select pg_backend_pid()": "session",
    "select * from users where 1 = 0": "read",
    "create temp table incoming (like users)": "prepare",
    "copy incoming from 's3://a/b' iam_role default": "copy",
    "update incoming set log_date = '2018-11-01'": "prepare",
    "begin": "read",
    "lock mutex_users": "lock",
    "create temp table changed as select 1": "prepare",
    "delete from changed using users where true": "prepare",
    "delete from users using changed where true": "delete",
    "insert into users (user_id) select user_id from changed": "insert",
    "insert into load_history (table_name) values ($1)": "record",
    "commit": "after commit",
}


def told() -> Iterator[tuple[str, str, tuple[object, ...]]]:
    """All that is to be survived, in one phase where it may be any."""
    own: list[tuple[str, object]] = []
    survived = Survivals(own)
    for task in (*TASKS, *SCHEMAS):
        survived.has(task, ["read", "insert"])
        survived(task, "read", "kill")
        survived(task, "insert", "kill")
    for task, phase in STRUCK.items():
        for fault in ENDINGS:
            survived(task, phase, fault)
    for task in LOADS:
        survived(task, "at any time", "kill")
        survived(task, "before commit", "cut")
        survived(task, "after commit", "cut")
    for task in COMMITTING:
        survived(task, "after commit", "stand-in")
        survived(task, "after commit", "PostgreSQL")
    survived("users", "delete", "conflict")
    yield from (("a test", name, value) for name, value in own)  # type: ignore[misc]


def test_the_tasks_are_those_of_the_dag() -> None:
    assert list(TASKS) == [task.task_id for task in load_dag("sparkify_daily").topological_sort()]
    assert set(STRUCK) == set(TASKS)


def test_a_statement_is_of_the_phase_that_the_task_is_in_when_it_is_answered() -> None:
    assert phases(list(LOAD)) == list(LOAD.values())


def test_a_statement_of_no_known_kind_is_asked_about() -> None:
    with pytest.raises(AssertionError, match="in which phase a task is after: vacuum users"):
        phases(["select pg_backend_pid()", "vacuum users"])


def test_a_task_is_killed_once_in_each_phase_or_at_every_statement() -> None:
    chosen = places(list(LOAD), random.Random(1))
    assert sorted(place.phase for place in chosen) == sorted({*LOAD.values(), "before commit"})
    assert all(list(LOAD.values())[place.number - 1] == place.phase for place in chosen if place.moment == "answered")
    every = places(list(LOAD), random.Random(1), every=True)
    assert [place.number for place in every] == [0, *range(1, len(LOAD) + 1), len(LOAD)]


@pytest.fixture
def whole() -> Table:
    """A table without a hole, S3's requests aside."""
    table = Table.from_properties(told())
    for hole in table.holes():
        task, phase, fault = hole.replace(":", ",").split(", ")
        assert fault in ("403", "404", "500", "slow", "cut"), hole
        table.survived[task, phase, fault] = 1
    assert table.holes() == []
    return table


def test_each_thing_that_was_not_survived_is_a_hole(whole: Table) -> None:
    for one in list(whole.survived):
        del whole.survived[one]
        task, phase, fault = one
        assert whole.holes() == [f"{task}, {phase}: {fault}"]
        whole.survived[one] = 1


def test_a_task_of_which_nothing_was_told_is_a_hole(whole: Table) -> None:
    del whole.has["songs"]
    assert whole.holes() == ["songs, session: kill"]


def test_a_phase_in_which_a_task_was_never_killed_shows_a_question_mark(whole: Table) -> None:
    del whole.survived["songs", "insert", "kill"]
    (line,) = [line for line in whole.lines() if line.startswith("songs ")]
    assert line.split()[:3] == ["songs", "-", "K"]
    assert "?" in line


CONFTEST = """
from pathlib import Path
from tests import conftest
conftest.FAULTS = Path(__file__).parent
pytest_sessionfinish, pytest_terminal_summary = conftest.pytest_sessionfinish, conftest.pytest_terminal_summary
"""
ONE_TEST = "def test_it(record_property): record_property('survived', ('users', 'insert', 'kill'))"


@pytest.mark.faults
@pytest.mark.parametrize(("narrowed", "code"), [([], 1), (["-k", "test_it"], 0)], ids=["all", "some"])
def test_only_a_run_of_all_faults_fails_for_a_hole(tmp_path: Path, narrowed: list[str], code: int) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_one.py").write_text(ONE_TEST)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", tmp_path, *narrowed, tmp_path],
        cwd=PROJECT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout
    assert "1 faults were survived" in done.stdout
    assert ("HOLE: not survived: songs, session: kill" in done.stdout) == bool(code)
