"""A deployment of no more rights than docs/security.md gives loads the month, and shows no secret to anybody."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import pytest
import redshift_connector
from botocore.exceptions import ClientError

from local.reference import KEYS, ROW_TYPES, differences, read_log_files, read_song_files, star_schema
from local.stack.programs import PROGRAMS
from sparkify.tables import STAR
from tests.local.redshift.conftest import free_port
from tests.month import month
from tests.security.deployment import (
    AIRFLOW_ROLE,
    BAD_DATE,
    CONTROL,
    COPY_ROLE,
    LOADER,
    LOADER_PASSWORD,
    PREFIX,
    SCHEMA,
    SOURCE,
    Deployment,
    Identity,
    deployed,
)
from tests.security.documented import statements
from tests.security.exposure import exposed

pytestmark = pytest.mark.security

MONTH = month()
EXPECTED = star_schema(read_log_files(MONTH.files), read_song_files(MONTH.files))
DAYS_ALONE = 2
"""The last days are loaded one a run, by a backfill; those before them by one run of a range, which takes less time."""
READABLE = (*(table.name for table in STAR), "songplays_without_names")
ANALYST = ("ada", "Choose-1-other-one")
BAD_LINES = "log_data/2018/12/2018-12-01-events.json"


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    files = MONTH.files | {BAD_LINES: b'{"ts": "not a number"}\n'}
    with deployed(tmp_path_factory.mktemp("deployment"), files) as deployment:
        yield deployment


def test_the_month_is_loaded_by_those_rights_alone(deployment: Deployment) -> None:
    alone = MONTH.last - dt.timedelta(days=DAYS_ALONE - 1)
    deployment.run("trigger", str(MONTH.first), "--through", str(alone - dt.timedelta(days=1)))
    deployment.run("backfill", str(alone), str(MONTH.last), "--max-active-runs", "2")
    for table, row_type in ROW_TYPES.items():
        fields: Any = row_type._fields  # type: ignore[attr-defined]
        found = deployment.rows(f"select {', '.join(fields)} from {SCHEMA}.{table}")
        key = [fields.index(column) for column in KEYS[table]]
        different = differences(EXPECTED.rows(table), map(tuple, found), key)
        assert not different, f"{table}: " + "; ".join(different.lines(fields))


def test_every_copy_takes_the_role_of_the_connection(deployment: Deployment) -> None:
    copies = [sql for sql in deployment.statements() if sql.lower().startswith("copy ")]
    assert copies
    assert not [sql for sql in copies if f"iam_role '{COPY_ROLE}'" not in sql or "iam_role default" in sql]


def test_airflow_runs_the_copy_that_has_no_laptop_in_it(deployment: Deployment) -> None:
    assert {path.name for path in deployment.project.iterdir()} == {"dags", "plugins", "include"}
    for dag in deployment.rest("GET", "/dags").json()["dags"]:
        assert dag["fileloc"].startswith(str(deployment.project)), dag["fileloc"]


@pytest.mark.parametrize(
    "statement",
    [
        f"create table {SCHEMA}.another (a integer)",
        "create schema another",
        f"drop table {SCHEMA}.songplays",
        f"truncate {SCHEMA}.songplays",
        f"alter table {SCHEMA}.songplays add column a integer",
        "create role another",
    ],
)
def test_the_warehouse_user_may_only_read_and_write_rows(deployment: Deployment, statement: str) -> None:
    with pytest.raises(redshift_connector.Error, match=r"permission denied|must be owner"):
        deployment.rows(statement, LOADER, LOADER_PASSWORD)


def test_a_reader_reads_what_is_for_readers_and_writes_nothing(deployment: Deployment) -> None:
    for statement in statements("Readers"):
        deployment.rows(statement)
    for readable in READABLE:
        deployment.rows(f"select count(*) from {SCHEMA}.{readable}", *ANALYST)
    for refused in (
        f"select last_name from {SCHEMA}.users",
        f"select * from {SCHEMA}.songplays_wide",
        f"select * from {SCHEMA}.staging_events",
        f"select * from {SCHEMA}.staging_rejects",
        f"select * from {SCHEMA}.load_history",
        f"delete from {SCHEMA}.users",
        f"insert into {SCHEMA}.time_queue (log_date) values ('2018-11-01')",
    ):
        with pytest.raises(redshift_connector.Error, match="permission denied"):
            deployment.rows(refused, *ANALYST)


def test_nobody_may_more_in_s3_than_the_policies_say(deployment: Deployment) -> None:
    delivered, noted = f"log_data/{MONTH.first:%Y/%m}/{MONTH.first}-events.json", f"{PREFIX}/a-note"
    allowed = {
        "airflow": {("get_object", SOURCE), ("put_object", CONTROL), ("list_objects_v2", SOURCE),
                    ("list_objects_v2", CONTROL)},
        "cluster": {("get_object", SOURCE), ("get_object", CONTROL), ("list_objects_v2", SOURCE),
                    ("list_objects_v2", CONTROL)},
    }  # fmt: skip
    airflow, cluster = deployment.s3(deployment.user), deployment.s3(deployment.cluster)
    airflow.put_object(Bucket=CONTROL, Key=noted, Body=b"")
    for whose, client in (("airflow", airflow), ("cluster", cluster)):
        for bucket, key in ((CONTROL, noted), (SOURCE, delivered)):
            for action in ("get_object", "put_object", "delete_object", "list_objects_v2"):
                about = {"Bucket": bucket} | ({} if action.startswith("list") else {"Key": key})
                if (action, bucket) in allowed[whose]:
                    getattr(client, action)(**about)
                else:
                    with pytest.raises(ClientError, match="Access Denied"):
                        getattr(client, action)(**about)
        with pytest.raises(ClientError, match="Access Denied"):
            client.put_object(Bucket=CONTROL, Key="elsewhere/a-note", Body=b"")
    with pytest.raises(ClientError, match="Access Denied"):
        deployment.s3(deployment.taker).list_objects_v2(Bucket=SOURCE)


@pytest.fixture(scope="module")
def trouble(deployment: Deployment) -> Deployment:
    """The deployment after runs with a session token and with a role, and after failures that have a secret near."""
    first, mistyped = str(MONTH.first), [f"mistyped-{what}-{'x7' * 12}" for what in ("password", "key", "token")]
    deployment.mistyped += mistyped
    deployment.aws(deployment.role)
    deployment.run("trigger", first)
    taken_before = len(deployment.taken_roles())
    deployment.aws(deployment.taker, role_arn=AIRFLOW_ROLE)
    deployment.run("trigger", first)
    assert len(deployment.taken_roles()) > taken_before
    deployment.aws(deployment.taker, role_arn=COPY_ROLE)
    assert "Could not reach s3 by aws_default: AWS refused permission" in deployment.run("trigger", first, expect=1)
    deployment.as_documented()
    assert "COPY refused 1 line(s)" in deployment.run("trigger", BAD_DATE, expect=1)
    deployment.run("trigger", BAD_DATE, "--param", "max_bad_lines=1")

    deployment.aws(Identity(deployment.user.key, mistyped[1]))
    assert "permission refused by S3" in deployment.run("trigger", first, expect=1)
    deployment.aws(Identity(deployment.role.key, deployment.role.secret, mistyped[2]))
    assert "permission refused by S3" in deployment.run("trigger", first, expect=1)
    deployment.aws(deployment.user, control_prefix="elsewhere")
    assert "Could not write s3://my-control/elsewhere/" in deployment.run("trigger", first, expect=1)

    deployment.as_documented()
    deployment.warehouse(LOADER, mistyped[0])
    assert "refused the log-in" in deployment.run("trigger", "--dag", "sparkify_schema", expect=1)
    deployment.warehouse(LOADER, LOADER_PASSWORD, port=free_port())
    assert "Could not connect to the warehouse" in deployment.run("trigger", "--dag", "sparkify_schema", expect=1)
    deployment.as_documented()
    deployment.run("trigger", "--dag", "sparkify_report")
    return deployment


def test_no_secret_is_seen_anywhere(trouble: Deployment) -> None:
    found, seen = exposed(trouble)
    assert not found, "\n".join(found)
    looked_at = "\n".join(seen)
    for place in (
        *(f"the file log/{name}.log" for name in (*PROGRAMS, "cluster", "cluster-statements")),
        *(f"the table public.{name} of airflow" for name in ("xcom", "rendered_task_instance_fields", "connection")),
        *(f"the table {SCHEMA}.{name} of dev" for name in ("load_history", "data_quality_results", "staging_rejects")),
        "task_id=stage_events/attempt=1.log",
        "task_id=report/attempt=1.log",
        "the page /report/latest",
        "/logs/1?full_content=true",
    ):
        assert place in looked_at


def test_all_was_logged_that_can_be(trouble: Deployment) -> None:
    logs = [path.read_text() for path in (trouble.home.airflow / "logs").rglob("task_id=stage_events/*.log")]
    assert any('"level":"debug"' in log and "copy incoming (" in log for log in logs)


def test_a_secret_that_were_seen_would_be_found(deployment: Deployment) -> None:
    # Every way of writing it down is another text.
    planted = "planted-sécret/3f9c1d"
    encoded = {
        "planted": planted,
        "planted-percent": "postgresql://a:planted-s%c3%a9cret%2f3f9c1d@host/dev",
        "planted-json": json.dumps({"password": planted}),
        "planted-base64": base64.b64encode(f"login:{planted}".encode()).decode(),
    }
    deployment.mistyped.append(planted)
    for name, text in encoded.items():
        (deployment.home.logs / f"{name}.log").write_text(text)
    rejects = f"{SCHEMA}.staging_rejects"
    deployment.rows(f"insert into {rejects} (table_name, file_name, value) values ('a', 'b', '{planted}')")
    deployment.rest("POST", "/variables", json={"key": "planted", "value": "no secret", "description": planted})
    try:
        found, _ = exposed(deployment)
    finally:
        deployment.mistyped.remove(planted)
        deployment.rows(f"delete from {rejects} where table_name = 'a'")
        deployment.rest("DELETE", "/variables/planted")
        for name in encoded:
            (deployment.home.logs / f"{name}.log").unlink()
    for place in (*(f"the file log/{name}.log" for name in encoded), f"the table {rejects} of dev", "REST /variables"):
        assert any(f" in {place}: " in one for one in found), place
