"""The loading user: what it may do, who makes it, and that its password is in its secret and nowhere else."""

from __future__ import annotations

import inspect
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
import redshift_connector

from local.stack.databases import WAREHOUSE, admin_dsn
from sparkify.cluster.connection import EXTRA_KEYS, connection_extra
from sparkify.cluster.create_loading_user import password_digest
from sparkify.cluster.withdraw_connection import WithdrawConnectionOperator
from sparkify.loading.exceptions import SettingsError
from sparkify.loading.warehouse import Warehouse
from tests.completed_moto import Cloud
from tests.examples import NOV_1, play
from tests.pipeline import Pipeline
from tests.plugins.cluster.test_deploy_stack import CLIENTS, STACK, deploy

pytestmark = pytest.mark.deployment

SECRET = "airflow/connections/redshift_default"
CONTEXT: Any = {}


@dataclass(frozen=True)
class Provisioned:
    """A cluster with its tables, and the name of its loading user, who is not there yet."""

    cloud: Cloud
    pipeline: Pipeline
    user: str

    def run(self, *tasks: str, **params: Any) -> None:
        """Run these tasks of the warehouse's DAG."""
        extra = {"ssl": self.pipeline.stack.redshift["ssl"]}
        self.pipeline.run(dag_id="sparkify_warehouse", only=tasks, **{"connection_extra": extra, **params})

    def published(self) -> dict[str, Any] | None:
        """What the secret holds; None if there is none."""
        secrets = self.cloud.client("secretsmanager")
        if SECRET not in [secret["Name"] for secret in secrets.list_secrets()["SecretList"]]:
            return None
        found: dict[str, Any] = json.loads(secrets.get_secret_value(SecretId=SECRET)["SecretString"])
        return found

    def asked(self, sql: str) -> list[Any]:
        """What a statement gives to the user of the published connection."""
        published = self.published()
        assert published
        with redshift_connector.connect(
            host=published["host"], port=published["port"], database=published["schema"], user=published["login"],
            password=published["password"], **published["extra"],
        ) as connection:  # fmt: skip
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute(sql)
            return list(cursor.fetchall()) if cursor.description else []


@pytest.fixture
def provisioned(cloud: Cloud, pipeline: Pipeline) -> Iterator[Provisioned]:
    """The cluster's endpoint is the stand-in, and its administrator is the stand-in's."""
    warehouse = pipeline.stack.redshift
    user = f"loader_{uuid.uuid4().hex[:8]}"
    names = {"AdminUser": warehouse["user"], "DatabaseName": warehouse["database"], "LoadingUser": user}
    pipeline.set_connection("aws_admin", cloud.admin_connection(pipeline.aws))
    deploy(**CLIENTS, **names)
    made = Provisioned(cloud, pipeline, user)
    yield made
    with psycopg.connect(admin_dsn(pipeline.stack.home, WAREHOUSE), autocommit=True) as administrator:
        if administrator.execute("select 1 from pg_roles where rolname = %s", [user]).fetchone():
            administrator.execute(f"drop owned by {user}")
            administrator.execute(f"drop role {user}")


def test_the_published_connection_is_the_loading_users(provisioned: Provisioned) -> None:
    provisioned.run("loading_user")
    published = provisioned.published()
    warehouse = provisioned.pipeline.stack.redshift
    assert published
    assert len(published.pop("password")) >= 40
    assert published == {
        "conn_type": "redshift",
        "host": warehouse["host"],
        "port": warehouse["port"],
        "schema": warehouse["database"],
        "login": provisioned.user,
        "extra": {"ssl": warehouse["ssl"]},
    }


def test_it_loads_and_may_do_nothing_else(provisioned: Provisioned) -> None:
    provisioned.run("loading_user")
    pipeline, schema = provisioned.pipeline, provisioned.pipeline.schema
    pipeline.set_connection("redshift_default", provisioned.published() or {})
    provisioned.run("copy_works")
    pipeline.put_events(NOV_1, [play()])
    pipeline.run(NOV_1)
    assert provisioned.asked(f"select count(*) from {schema}.songplays") == [[1]]
    for refused in (
        f"create table {schema}.another (a integer)",
        f"drop table {schema}.songplays",
        f"alter table {schema}.songplays add column a integer",
        "create schema another",
        "create user another password 'Choose-1-long-one'",
    ):
        with pytest.raises(redshift_connector.Error, match=r"permission denied|must be owner"):
            provisioned.asked(refused)


def test_once_more_it_keeps_its_password_and_is_granted_what_is_new(provisioned: Provisioned) -> None:
    provisioned.run("loading_user")
    before, schema = provisioned.published(), provisioned.pipeline.schema
    provisioned.pipeline.execute(f"drop table {schema}.time_queue")
    provisioned.run("tables", "loading_user")
    assert provisioned.published() == before
    assert provisioned.asked(f"select count(*) from {schema}.time_queue") == [[0]]


def test_without_its_secret_it_gets_another_password(provisioned: Provisioned) -> None:
    provisioned.run("loading_user")
    before = provisioned.published()
    provisioned.cloud.client("secretsmanager").delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)
    provisioned.run("loading_user")
    after = provisioned.published()
    assert before
    assert after
    assert before["password"] != after["password"]
    assert provisioned.asked("select current_user") == [[provisioned.user]]


def test_an_administrators_connection_of_an_older_version_is_replaced(provisioned: Provisioned) -> None:
    older = {"conn_type": "redshift", "login": provisioned.pipeline.stack.redshift["user"], "password": "Hidden-1"}
    provisioned.cloud.client("secretsmanager").create_secret(
        Name=SECRET, SecretString=json.dumps(older), Tags=[{"Key": "sparkify-stack", "Value": STACK}]
    )
    provisioned.run("loading_user")
    assert provisioned.asked("select current_user") == [[provisioned.user]]


def test_an_administrators_new_password_is_read_again(provisioned: Provisioned) -> None:
    arn = provisioned.cloud.cluster()["MasterPasswordSecretArn"]
    secrets = provisioned.cloud.client("secretsmanager")
    right = secrets.get_secret_value(SecretId=arn)["SecretString"]
    secrets.update_secret(SecretId=arn, SecretString=json.dumps(json.loads(right) | {"password": "Hidden-2"}))
    with pytest.raises(SettingsError, match=rf"refused the log-in.*{STACK}'s administrator"):
        provisioned.run("loading_user")
    secrets.update_secret(SecretId=arn, SecretString=right)
    provisioned.run("loading_user")
    assert provisioned.asked("select current_user") == [[provisioned.user]]


def test_no_password_is_logged_or_in_a_statement(
    provisioned: Provisioned, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said, execute = [], Warehouse.execute

    def noted(warehouse: Warehouse, sql: str, *parameters: Any) -> int:
        said.append(sql)
        return execute(warehouse, sql, *parameters)

    monkeypatch.setattr(Warehouse, "execute", noted)
    provisioned.run("tables", "views", "loading_user")
    printed = "".join(capfd.readouterr())
    published = provisioned.published()
    assert published
    digest = password_digest(provisioned.user, published["password"])
    assert f"create user \"{provisioned.user}\" password '{digest}'" in said
    assert not [sql for sql in said if published["password"] in sql]
    assert digest not in printed
    assert f"Made the user {provisioned.user}" in printed
    assert published["password"] not in printed
    assert provisioned.pipeline.stack.redshift["password"] not in printed


def tag(cloud: Cloud, owner: str | None) -> None:
    """Make the secret, of this stack or of nobody."""
    tags = [{"Key": "sparkify-stack", "Value": owner}] if owner else []
    cloud.client("secretsmanager").create_secret(Name=SECRET, SecretString="{}", Tags=tags)


@pytest.mark.parametrize(
    ("owner", "refusal"),
    [
        ("production", "holds the connection of the stack production; nothing was written over it"),
        (None, "was not made by this DAG; nothing was written over it. Give the param secret"),
    ],
)
def test_another_secret_is_neither_overwritten_nor_withdrawn_and_no_user_is_made(
    provisioned: Provisioned, owner: str | None, refusal: str
) -> None:
    tag(provisioned.cloud, owner)
    with pytest.raises(SettingsError, match=refusal):
        provisioned.run("loading_user")
    withdraw()
    assert provisioned.published() == {}
    assert provisioned.pipeline.rows(f"select 1 from pg_user where usename = '{provisioned.user}'") == []


def test_a_secret_made_by_hand_can_be_handed_over_by_its_tag(provisioned: Provisioned) -> None:
    tag(provisioned.cloud, None)
    provisioned.cloud.client("secretsmanager").tag_resource(
        SecretId=SECRET, Tags=[{"Key": "sparkify-stack", "Value": STACK}]
    )
    provisioned.run("loading_user")
    assert provisioned.published()


def test_a_secret_that_somebody_deleted_meanwhile_is_restored(provisioned: Provisioned) -> None:
    provisioned.run("loading_user")
    provisioned.cloud.client("secretsmanager").delete_secret(SecretId=SECRET, RecoveryWindowInDays=7)
    provisioned.run("loading_user")
    assert provisioned.asked("select current_user") == [[provisioned.user]]


def withdraw() -> None:
    """Take the connection back."""
    WithdrawConnectionOperator(task_id="withdraw", stack=STACK, secret=SECRET).execute(CONTEXT)


def test_a_withdrawn_connection_is_gone_at_once_and_can_be_withdrawn_again(provisioned: Provisioned) -> None:
    provisioned.run("loading_user")
    withdraw()
    assert provisioned.published() is None
    withdraw()


def test_an_extra_that_is_no_object_is_refused(provisioned: Provisioned) -> None:
    with pytest.raises(SettingsError, match="The param connection_extra is a str and no JSON object"):
        provisioned.run("loading_user", connection_extra="verify-full")


ELSEWHERE = ("port", "user", "password", "database", "unix_sock", "source_address", "endpoint_url", "idp_host",
             "login_url", "host", "sslrootcert", "credentials_provider", "auth_profile", "iam", "db_user")  # fmt: skip


@pytest.mark.parametrize("task", ["tables", "views", "loading_user"])
def test_no_login_goes_where_the_extra_leads(provisioned: Provisioned, task: str) -> None:
    with pytest.raises(SettingsError, match=r"connection_extra names host, which could .*It may name ssl, ssl"):
        provisioned.run(task, connection_extra={"host": "evil.example", "ssl": False})
    assert provisioned.published() is None


@pytest.mark.parametrize("refused", ELSEWHERE)
def test_an_extra_that_would_lead_a_password_elsewhere_is_refused(refused: str) -> None:
    with pytest.raises(SettingsError, match=rf"connection_extra names {refused}, which could .*It may name ssl, ssl"):
        connection_extra({"sslmode": "verify-full", refused: "x"})


def test_what_an_extra_may_name_is_known_to_the_driver() -> None:
    assert set(EXTRA_KEYS) <= inspect.signature(redshift_connector.connect).parameters.keys()


@pytest.mark.parametrize("name", ["", "a b", "arn:aws:secretsmanager:x:1:secret:a", "a'", "é", "a" * 513, "a\n"])
def test_what_is_no_name_of_a_secret_is_refused(provisioned: Provisioned, name: str) -> None:
    with pytest.raises(SettingsError, match="secret=.* is not a name that Secrets Manager takes"):
        provisioned.run("loading_user", secret=name)
