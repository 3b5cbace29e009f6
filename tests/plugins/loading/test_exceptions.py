"""What an error says to those who may not see what stands in files and rows."""

from __future__ import annotations

from typing import Any

import pytest

from sparkify.loading.checks import Check, CheckResult
from sparkify.loading.exceptions import DataError, Unavailable
from sparkify.loading.load_errors import copy_failure
from sparkify.loading.published import FAILURE, VERSION, read_failure
from sparkify.loading.refused_lines import LoadError
from sparkify.loading.retries import RetriesOutagesOnly, failures_published
from sparkify.loading.shown import masked
from sparkify.loading.warehouse_operator import WarehouseOperator

NAME = "Wilhelmina"


class Pushed:
    """A task instance that keeps what is pushed."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.values[key] = value


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ('invalid input syntax for type integer: "Wilhelmina"', "invalid input syntax for type integer: …"),
        ("log_date='Wilhelmina' is not a date", "log_date=… is not a date"),
        (r"value 'Wil\'helmina' of it", "value … of it"),
        ("Key (email)=(Wilhelmina) already exists.", "Key (email)=… already exists."),
        ("Failing row contains (1, Wilhelmina, (2)).", "Failing row contains …."),
        ("user 447700900123 is odd", "user … is odd"),
        ("the file's own name, the user's too", "the file's own name, the user's too"),
        (
            "expected s3://b/log_data/2018/11/2018-11-01-events.json",
            "expected s3://b/log_data/2018/11/2018-11-01-events.json",
        ),
        ("2,000 line(s), 12:00 UTC (SQLSTATE 42601)", "2,000 line(s), 12:00 UTC (SQLSTATE 42601)"),
    ],
)
def test_values_are_masked_and_nothing_else_is(said: str, left: str) -> None:
    assert masked(said) == left


def test_a_refused_line_is_told_by_place_and_reason() -> None:
    found = LoadError(
        "s3://b/f.json", 3, "user_id", f"Invalid digit, Value '{NAME[0]}', Pos 0", f'{{"n": "{NAME}"}}', NAME
    )
    error = copy_failure(DataError("load failed"), [found])
    assert isinstance(error, DataError)
    assert f"value {NAME}" in str(error)
    assert "  s3://b/f.json, line 3, column user_id: Invalid digit, Value …, Pos 0\n" in error.told
    assert NAME not in error.told


def test_a_broken_check_is_told_without_its_rows() -> None:
    check = Check("songs.id_is_unique", "error", "a song is there once", "select 1")
    found = CheckResult(check, 2, ["name"], [[NAME]])
    assert found.without_rows() == "songs.id_is_unique (error): 2 row(s) against: a song is there once"
    assert CheckResult(check, None, error=NAME).without_rows() == "songs.id_is_unique (error) could not run"


def test_a_try_that_fails_publishes_why() -> None:
    class Failing(RetriesOutagesOnly):
        def execute(self, context: Any) -> None:
            raise context["error"]

    for raised, kind, told in (
        (Unavailable(f"S3 said '{NAME}'"), "Unavailable", "S3 said …"),
        (KeyError(NAME), "PackageError", "KeyError: an error that nobody foresaw, which the task's log shows."),
    ):
        pushed = Pushed()
        with pytest.raises(Exception, match=NAME):
            Failing().execute({"ti": pushed, "error": raised})
        failure = read_failure(pushed.values[FAILURE])
        assert failure is not None
        assert (failure.version, failure.kind) == (VERSION, kind)
        assert failure.told.startswith(told)
        assert NAME not in failure.told


def test_params_that_name_no_log_date_publish_why() -> None:
    pushed = Pushed()
    task = WarehouseOperator(task_id="any")
    with pytest.raises(Exception, match="neither a log date"):
        task.render_template_fields({"ti": pushed, "params": {}})
    failure = read_failure(pushed.values[FAILURE])
    assert failure is not None
    assert failure.kind == "SettingsError"


def test_what_cannot_be_published_hides_no_error() -> None:
    with pytest.raises(DataError, match="bad"), failures_published({}):
        raise DataError("bad")
