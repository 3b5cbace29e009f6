"""A load by the user that Redshift Serverless makes of an IAM role, ``IAMR:name``, with the documented rights."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redshift_connector

from local.reference import Tables, read_log_files, read_song_files, star_schema
from sparkify.cluster.create_loading_user import password_digest
from sparkify.loading.exceptions import SettingsError
from tests.month import month
from tests.pipeline import PROJECT, Pipeline
from tests.serverless_door import Serverless, serverless_api, tls_door

pytestmark = pytest.mark.deployment

USER, PASSWORD = "IAMR:sparkify-loader", "Choose-1-long-one"
MONTH = month()
FIRST, SECOND = MONTH.first, MONTH.first + timedelta(days=1)


@pytest.fixture
def administrator(stack: Any) -> Iterator[Any]:
    """A cursor of the administrator's, at the stand-in."""
    with redshift_connector.connect(**stack.redshift) as connection:
        connection.autocommit = True
        yield connection.cursor()


@pytest.fixture
def granted(administrator: Any, pipeline: Pipeline) -> Iterator[Pipeline]:
    """The pipeline, once the user has the grants of the page: quoted, since no statement takes such a name bare."""
    page = (PROJECT / "docs" / "security.md").read_text()
    grants = re.findall(r"^grant .* to sparkify_airflow;$", page, re.MULTILINE)
    assert len(grants) == 3
    administrator.execute(f"create user \"{USER}\" password '{password_digest(USER, PASSWORD)}'")
    for grant in grants:
        named = grant.replace("sparkify_airflow", f'"{USER}"').replace("schema music", f'schema "{pipeline.schema}"')
        administrator.execute(named)
    yield pipeline
    for right in ("all on all tables in schema", "usage on schema"):
        administrator.execute(f'revoke {right} "{pipeline.schema}" from "{USER}"')
    administrator.execute(f'revoke temp on database dev from "{USER}"')
    administrator.execute(f'drop user "{USER}"')


@pytest.fixture
def api(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serverless]:
    """Redshift Serverless's API, which answers with the user and its password."""
    with serverless_api() as api:
        # Airflow's hook asks it by aws_default, the driver as boto3 finds it.
        extra = pipeline.aws["extra"]
        services = extra["service_config"] | {"redshift-serverless": {"endpoint_url": api.url}}
        pipeline.set_connection("aws_default", {**pipeline.aws, "extra": {**extra, "service_config": services}})
        monkeypatch.setenv("AWS_ENDPOINT_URL_REDSHIFT_SERVERLESS", api.url)
        api.user, api.password = USER, PASSWORD
        yield api


@pytest.fixture
def by_iam(stack: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The connection of docs/deploy.md, to a door of this machine's in front of the stand-in, which speaks no TLS."""
    page = (PROJECT / "docs" / "deploy.md").read_text()
    (documented,) = re.findall(r"^({.*\"is_serverless\": true.*})$", page, re.MULTILINE)
    with tls_door((stack.redshift["host"], stack.redshift["port"]), tmp_path) as (port, certificate):
        # The driver trusts what OpenSSL does by default, besides Amazon's own.
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        yield json.loads(documented) | {"host": "localhost", "port": port}


def expected(*log_dates: Any) -> Tables:
    """What the tables hold of these dates, and of all songs."""
    events = {key: data for key, data in MONTH.files.items() if any(f"{one}-events" in key for one in log_dates)}
    return star_schema(read_log_files(events), read_song_files(MONTH.files))


def test_the_user_of_an_iam_role_loads_dates_by_all_tasks(
    granted: Pipeline, by_iam: dict[str, Any], api: Serverless
) -> None:
    granted.put(MONTH.files)
    granted.set_connection("redshift_default", by_iam)
    granted.run(FIRST, SECOND)
    # Again, with rows that go and come.
    key = next(key for key in MONTH.files if f"{FIRST}-events" in key)
    granted.put({key: b"\n".join(MONTH.files[key].splitlines()[3:])})
    granted.run(FIRST)
    granted.put({key: MONTH.files[key]})
    granted.run(FIRST)
    assert granted.rows("select current_user") == [(USER,)]
    granted.assert_equals(expected(FIRST, SECOND))
    # By Airflow's hook, and then by the driver.
    assert set(api.asked) == {"GetCredentials"}


@pytest.mark.usefixtures("api")
def test_the_user_of_an_iam_role_may_make_nothing(granted: Pipeline, by_iam: dict[str, Any]) -> None:
    granted.set_connection("redshift_default", by_iam)
    with pytest.raises(SettingsError, match="lacks a permission: permission denied for schema"):
        granted.execute("create table mine (a integer)")


def test_a_role_that_has_no_user_yet_is_named(pipeline: Pipeline, by_iam: dict[str, Any], api: Serverless) -> None:
    api.user = "IAMR:nobody"
    pipeline.set_connection("redshift_default", by_iam)
    with pytest.raises(SettingsError, match="IAMR:nobody"):
        pipeline.rows("select 1")
