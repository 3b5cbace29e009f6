"""What is wrong is said in a sentence: what, where, what was expected, what to do. The tables stay as they were."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import boto3
import pytest
from airflow.providers.amazon.aws.hooks.redshift_sql import RedshiftSQLHook
from tenacity import wait_none

from local.stack.connections import aws_environment
from sparkify.loading.exceptions import DataError, SettingsError, Unavailable
from sparkify.tables import STAR
from tests.examples import event, play, song
from tests.local.redshift.conftest import free_port
from tests.pipeline import WRITING, Pipeline

LOADED, NEXT = date(2018, 11, 1), date(2018, 11, 2)
FILE = "log_data/2018/11/2018-11-02-events.json"
TABLES = (
    *("staging_events", "staging_songs", "staging_rejects", *(table.name for table in STAR)),
    *("load_history", "staged_files", "staged_dates", "staging_unknown_fields"),
    *(table.queue_name for table in STAR),
)
Wrong = Callable[[Pipeline], dict[str, Any]]


def no_file(pipeline: Pipeline) -> dict[str, Any]:
    """The date's file is not there."""
    pipeline.remove(FILE)
    return {}


def misnamed(pipeline: Pipeline) -> dict[str, Any]:
    """The date's file is there under other names, of which one moves the cursor."""
    pipeline.remove(FILE)
    pipeline.put({f"{FILE}l": b"{}", "Logs/2018-11-02\x1b[1A.json": b"{}"})
    return {}


def file(*lines: bytes) -> Wrong:
    """The date's file, with a good line before and after."""
    good = [json.dumps(event(itemInSession=number, ts=1_541_160_000_000)).encode() for number in (1, 2)]

    def deliver(pipeline: Pipeline) -> dict[str, Any]:
        pipeline.put({FILE: b"\n".join([good[0], *lines, good[1]])})
        return {}

    return deliver


def run(log_date: str | None, **more: str) -> Wrong:
    """A run with these params."""
    return lambda pipeline: {"log_date": log_date, **more}


def connection(conn_id: str, **changes: Any) -> Wrong:
    """A connection with some fields changed; those that are None are left out."""

    def change(pipeline: Pipeline) -> dict[str, Any]:
        known = json.loads(pipeline.stack.env[f"AIRFLOW_CONN_{conn_id.upper()}"])
        merged = {**known, **changes}
        pipeline.set_connection(conn_id, {name: value for name, value in merged.items() if value is not None})
        return {}

    return change


def service_config(**changes: Any) -> Wrong:
    """Other settings in the AWS connection."""

    def change(pipeline: Pipeline) -> dict[str, Any]:
        extra = pipeline.aws["extra"]
        services = {
            name: {**extra["service_config"][name], **changes.get(name, {})} for name in extra["service_config"]
        }
        pipeline.set_connection("aws_default", {**pipeline.aws, "extra": {**extra, "service_config": services}})
        return {}

    return change


def nobody_listens(pipeline: Pipeline) -> dict[str, Any]:
    """A warehouse that is down."""
    return connection("redshift_default", port=free_port())(pipeline)


@pytest.fixture(autouse=True)
def no_pause_between_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow's hook tries to connect five times; how long it waits in between is not the point."""
    monkeypatch.setattr(RedshiftSQLHook.get_conn.retry, "wait", wait_none())


@pytest.fixture
def loaded(pipeline: Pipeline) -> Pipeline:
    """One date is loaded, and the next delivered."""
    pipeline.put({"song_data/A/A/A/TRAAAAA.json": json.dumps(song("SO1")).encode()})
    pipeline.put_events(LOADED, [play(), event(itemInSession=1)])
    pipeline.run(LOADED, only=WRITING)
    pipeline.put_events(NEXT, [play(itemInSession=2, ts=1_541_160_000_000)])
    return pipeline


def content(pipeline: Pipeline) -> dict[str, list[Any]]:
    with pipeline.session() as warehouse:
        return {table: sorted(warehouse.rows(f"select * from {table}"), key=repr) for table in TABLES}


@pytest.mark.parametrize(
    ("wrong", "error", "sentence"),
    [
        pytest.param(
            no_file,
            DataError,
            r"No file for log date 2018-11-02: expected s3://source-\w+/log_data/2018/11/2018-11-02-events\.json .*"
            r"Deliver the file and clear this task; give another log_date",
            id="no file for the date",
        ),
        pytest.param(
            misnamed,
            DataError,
            r"No file for log date 2018-11-02: expected .*\. There is log_data/2018/11/2018-11-02-events\.jsonl, "
            r"Logs/2018-11-02\\x1b\[1A\.json, which no load reads: rename or move it\. Deliver the file and clear",
            id="a file named otherwise",
        ),
        pytest.param(
            file(b'{"ts": oops}'),
            DataError,
            r"2018-11-02-events\.json, line 2, value \{\"ts\": oops\}: Invalid.*\n.*Fix the file and clear this task",
            id="a broken line",
        ),
        pytest.param(
            file(b'{"ts": "noon", "page": "Home"}'),
            DataError,
            r"2018-11-02-events\.json, line 2, column ts, value \"noon\": .*\n.*Fix the file",
            id="text in ts",
        ),
        pytest.param(
            file(b'{"ts": 1, "level": "' + b"x" * 17 + b'"}'),
            DataError,
            r"line 2, column level, value \"x{17}\": String length exceeds",
            id="a value too long",
        ),
        pytest.param(
            file(b'{"ts": 1, "location": "M\xfcnchen"}'),
            DataError,
            r"line 2.*: .*UTF-8",
            id="invalid UTF-8",
        ),
        pytest.param(
            file(b'{"ts": 1, "location": "' + b"x" * 5_000_000 + b'"}'),
            DataError,
            r"line 2.*: .*4194304 bytes",
            id="a 5 MB line",
        ),
        pytest.param(
            run("2018-13-01"), SettingsError, r"log_date='2018-13-01' is not a date\. Give it as", id="no such date"
        ),
        pytest.param(
            run("2018-11-02", through="2018-11-01"),
            SettingsError,
            r"through=2018-11-01 lies before log_date=2018-11-02\. Give through as",
            id="through before log_date",
        ),
        pytest.param(
            run("2018-11-02", through="2081-11-02"),
            SettingsError,
            r"log_date=2018-11-02 and through=2081-11-02 lie 23,011 days apart, and one run loads at most 3,660 days",
            id="a range of decades",
        ),
        pytest.param(
            run("2018-11-02", max_bad_lines="100000"),
            SettingsError,
            r"max_bad_lines='100000' is not a whole number from 0 to 99999, the most that COPY can leave out",
            id="more bad lines than COPY can leave out",
        ),
        pytest.param(
            connection("redshift_default", password="wrong"),
            SettingsError,
            "The warehouse refused the log-in of connection redshift_default",
            id="a wrong password",
        ),
        pytest.param(
            connection("redshift_default", host=None),
            SettingsError,
            r"Connection redshift_default names no host\. Set the cluster's endpoint",
            id="a connection without a host",
        ),
        pytest.param(
            connection("aws_default", extra={}),
            SettingsError,
            r"Connection aws_default, extra service_config.*: s3\.bucket_name is missing\. Set it, for example",
            id="a connection without settings",
        ),
        pytest.param(
            service_config(s3={"bucket_name": "no-such-bucket"}),
            SettingsError,
            r"Could not list s3://no-such-bucket/.*: there is no bucket no-such-bucket\. Set the right name",
            id="no such bucket",
        ),
        pytest.param(
            service_config(sparkify={"control_bucket": "no-such-bucket"}),
            SettingsError,
            r"Could not write s3://no-such-bucket/sparkify/.*: there is no bucket no-such-bucket\. Set the right name",
            id="no such control bucket",
        ),
        pytest.param(
            nobody_listens, Unavailable, "Could not connect to the warehouse by redshift_default", id="warehouse down"
        ),
    ],
)
def test_wrong_input_ends_in_a_sentence_and_changes_nothing(
    loaded: Pipeline, wrong: Wrong, error: type[Exception], sentence: str
) -> None:
    before = content(loaded)
    params = {"log_date": str(NEXT), **wrong(loaded)}
    with pytest.raises(error, match=f"(?s){sentence}"):
        loaded.run(**params, only=("tables", "stage_events"))
    for conn_id, known in (("aws_default", loaded.aws), ("redshift_default", None)):
        loaded.set_connection(conn_id, known or json.loads(loaded.stack.env[f"AIRFLOW_CONN_{conn_id.upper()}"]))
    assert content(loaded) == before


@pytest.mark.parametrize(("log_date", "through"), [("2018-11-02", "2081-11-02"), ("2024-12-30", "2034-12-31")])
def test_a_range_that_no_run_could_load_is_refused_before_s3_is_asked(
    loaded: Pipeline, log_date: str, through: str
) -> None:
    endpoint = {"endpoint_url": f"http://127.0.0.1:{free_port()}"}
    loaded.set_connection("aws_default", {**loaded.aws, "extra": {**loaded.aws["extra"], **endpoint}})
    with pytest.raises(SettingsError, match=f"through={through} lie"):
        loaded.run(log_date, through, only=("tables", "stage_events"))
    with pytest.raises(Unavailable, match="Could not list s3://"):
        loaded.run(NEXT, only=("tables", "stage_events"))


def test_as_many_bad_lines_as_copy_can_leave_out_may_be_left_out(loaded: Pipeline) -> None:
    loaded.put({FILE: b"{oops\n"})
    done = loaded.run(NEXT, only=("tables", "stage_events"), max_bad_lines=99_999)
    assert done["stage_events"]["rows_refused"] == 1


@pytest.mark.parametrize("conn_id", ["aws_default", "redshift_default"])
def test_a_missing_connection_is_named_with_the_ways_to_make_it(
    loaded: Pipeline, conn_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(f"AIRFLOW_CONN_{conn_id.upper()}")
    with pytest.raises(SettingsError, match=rf"connection {conn_id} is not defined\. Add it under Admin"):
        loaded.run(NEXT)


@pytest.fixture
def permissions(stack: Any) -> Iterator[dict[str, str]]:
    """The keys of a user who may do nothing."""
    root = aws_environment(stack.home)
    iam: Any = boto3.client(
        "iam",
        endpoint_url=root["AWS_ENDPOINT_URL"],
        region_name="us-west-2",
        aws_access_key_id=root["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=root["AWS_SECRET_ACCESS_KEY"],
    )
    iam.create_user(UserName="nobody")
    made = iam.create_access_key(UserName="nobody")["AccessKey"]
    yield {"login": made["AccessKeyId"], "password": made["SecretAccessKey"]}
    iam.delete_access_key(UserName="nobody", AccessKeyId=made["AccessKeyId"])
    iam.delete_user(UserName="nobody")


def test_a_permission_that_lacks_is_told_and_nothing_changes(loaded: Pipeline, permissions: dict[str, str]) -> None:
    before = content(loaded)
    loaded.set_connection("aws_default", {**loaded.aws, **permissions})
    with pytest.raises(SettingsError, match=r"Could not list s3://source-\w+/log_data/.*: permission refused by S3"):
        loaded.run(NEXT)
    loaded.set_connection("aws_default", loaded.aws)
    assert content(loaded) == before


def test_a_table_dropped_by_hand_is_made_again_and_loaded(loaded: Pipeline) -> None:
    loaded.execute("drop table users")
    loaded.run(LOADED)
    assert loaded.rows("select user_id from users") == [(7,)]


def test_a_table_dropped_while_the_run_goes_on_is_told_with_the_cure(loaded: Pipeline) -> None:
    loaded.run(NEXT, only=("tables", "stage_events"))
    loaded.execute("drop table songplays")
    with pytest.raises(SettingsError, match=r"missing in the warehouse: .*songplays.*\. Run the DAG sparkify_schema"):
        loaded.run(NEXT, only=("songplays",))
