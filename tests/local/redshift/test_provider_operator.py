"""The Amazon provider's own operator, unmodified, against the stand-in."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from airflow.providers.amazon.aws.hooks.redshift_sql import RedshiftSQLHook
from airflow.providers.amazon.aws.transfers.s3_to_redshift import S3ToRedshiftOperator
from mypy_boto3_s3 import S3Client

from tests.local.redshift.conftest import BUCKET

Put = Callable[[str, object], str]
Load = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def load(hook: RedshiftSQLHook, s3: S3Client, put: Put, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Have the operator load objects into t.users by one of its methods; return the table's rows."""
    extra = {"endpoint_url": s3.meta.endpoint_url, "region": "us-east-1"}
    connection = {"conn_type": "aws", "login": "test", "password": "test", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(connection))
    hook.run("create table users (user_id int, level varchar(4), primary key (user_id))")

    def run(method: str, *users: tuple[int, str], **options: Any) -> list[tuple[Any, ...]]:
        lines = (json.dumps({"user_id": user_id, "level": level}) for user_id, level in users)
        put("users/part", "\n".join(lines))
        operator = S3ToRedshiftOperator(
            task_id="load", schema="t", table="users", s3_bucket=BUCKET, s3_key="users/", aws_conn_id="aws_default",
            copy_options=["format json 'auto'"], method=method, **options,
        )  # fmt: skip
        operator.execute({})
        return [tuple(row) for row in hook.get_records("select user_id, level from users order by user_id, level")]

    return run


def test_append_adds_rows(load: Load) -> None:
    assert load("APPEND", (1, "free")) == [(1, "free")]
    assert load("APPEND", (1, "paid"), (2, "free")) == [(1, "free"), (1, "paid"), (2, "free")]


def test_replace_leaves_only_the_new_rows(load: Load) -> None:
    load("APPEND", (1, "free"))
    assert load("REPLACE", (2, "paid")) == [(2, "paid")]


def test_replace_that_fails_leaves_the_old_rows(load: Load, hook: RedshiftSQLHook) -> None:
    load("APPEND", (1, "free"))
    with pytest.raises(Exception, match="Load into table 'users' failed"):
        load("REPLACE", (2, "too long"))
    assert hook.get_first("select user_id, level from users") == [1, "free"]


def test_upsert_replaces_the_rows_of_the_given_keys(load: Load) -> None:
    load("APPEND", (1, "free"), (2, "free"))
    assert load("UPSERT", (2, "paid"), (3, "free"), upsert_keys=["user_id"]) == [(1, "free"), (2, "paid"), (3, "free")]


def test_upsert_finds_the_primary_key_by_itself(load: Load) -> None:
    load("APPEND", (1, "free"), (2, "free"))
    assert load("UPSERT", (2, "paid"), (3, "free")) == [(1, "free"), (2, "paid"), (3, "free")]


def test_columns_can_be_named(load: Load) -> None:
    assert load("APPEND", (1, "free"), column_list=["user_id"]) == [(1, None)]
