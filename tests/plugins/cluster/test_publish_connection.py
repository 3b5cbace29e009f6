"""The published connection: what is in it, whose it is, and that the password is nowhere else."""

from __future__ import annotations

import inspect
import json
from typing import Any

import pytest
import redshift_connector

from sparkify.cluster.publish_connection import EXTRA_KEYS, PublishConnectionOperator
from sparkify.cluster.withdraw_connection import WithdrawConnectionOperator
from sparkify.loading.exceptions import SettingsError
from tests.completed_moto import Cloud
from tests.plugins.cluster.test_deploy_stack import CLIENTS, STACK, deploy

SECRET = "airflow/connections/redshift_default"
CONTEXT: Any = {}


def publish(stack: str = STACK, extra: Any = '{"sslmode": "verify-full"}', secret: str = SECRET) -> str:
    """Publish the connection of this stack's cluster."""
    return PublishConnectionOperator(task_id="publish", stack=stack, secret=secret, extra=extra).execute(CONTEXT)


def withdraw(stack: str = STACK) -> None:
    """Take it back."""
    WithdrawConnectionOperator(task_id="withdraw", stack=stack, secret=SECRET).execute(CONTEXT)


def published(cloud: Cloud) -> dict[str, Any] | None:
    """What the secret holds; None if there is none."""
    secrets = cloud.client("secretsmanager")
    if SECRET not in [secret["Name"] for secret in secrets.list_secrets()["SecretList"]]:
        return None
    found: dict[str, Any] = json.loads(secrets.get_secret_value(SecretId=SECRET)["SecretString"])
    return found


def test_the_connection_is_the_clusters_endpoint_and_its_admin(cloud: Cloud) -> None:
    deploy(**CLIENTS)
    assert publish() == SECRET
    assert published(cloud) == {
        "conn_type": "redshift",
        "host": "warehouse.example",
        "port": 5439,
        "schema": "sparkify",
        "login": "sparkify_admin",
        "password": "Hidden-1",
        "extra": {"sslmode": "verify-full"},
    }


def test_a_password_that_redshift_changed_is_published_the_next_time(cloud: Cloud) -> None:
    deploy(**CLIENTS)
    publish()
    changed = json.dumps({"username": "sparkify_admin", "password": "Hidden-2"})
    arn = cloud.cluster()["MasterPasswordSecretArn"]
    cloud.client("secretsmanager").update_secret(SecretId=arn, SecretString=changed)
    publish()
    found = published(cloud)
    assert found
    assert found["password"] == "Hidden-2"


def test_the_password_is_neither_returned_nor_logged(cloud: Cloud, capfd: pytest.CaptureFixture[str]) -> None:
    deploy(**CLIENTS)
    assert "Hidden-1" not in publish()
    printed = "".join(capfd.readouterr())
    assert f"Made the secret {SECRET}" in printed
    assert "Hidden-1" not in printed


def test_another_stacks_connection_is_neither_overwritten_nor_withdrawn(cloud: Cloud) -> None:
    cloud.client("secretsmanager").create_secret(
        Name=SECRET, SecretString="{}", Tags=[{"Key": "sparkify-stack", "Value": "production"}]
    )
    deploy(**CLIENTS)
    with pytest.raises(SettingsError, match="the connection of the stack production; nothing was written over it"):
        publish()
    withdraw()
    assert published(cloud) == {}


def test_a_secret_made_by_hand_is_neither_overwritten_nor_withdrawn(cloud: Cloud) -> None:
    cloud.client("secretsmanager").create_secret(Name=SECRET, SecretString="{}")
    deploy(**CLIENTS)
    with pytest.raises(SettingsError, match="was not made by this DAG; nothing was written over it. Give the param"):
        publish()
    withdraw()
    assert published(cloud) == {}


def test_a_secret_made_by_hand_can_be_handed_over_by_its_tag(cloud: Cloud) -> None:
    secrets = cloud.client("secretsmanager")
    secrets.create_secret(Name=SECRET, SecretString="{}")
    deploy(**CLIENTS)
    secrets.tag_resource(SecretId=SECRET, Tags=[{"Key": "sparkify-stack", "Value": STACK}])
    publish()
    assert published(cloud)


def test_a_secret_that_somebody_deleted_meanwhile_is_restored(cloud: Cloud) -> None:
    deploy(**CLIENTS)
    publish()
    cloud.client("secretsmanager").delete_secret(SecretId=SECRET, RecoveryWindowInDays=7)
    publish()
    assert published(cloud) is not None


def test_a_withdrawn_connection_is_gone_at_once_and_can_be_withdrawn_again(cloud: Cloud) -> None:
    deploy(**CLIENTS)
    publish()
    withdraw()
    assert published(cloud) is None
    withdraw()
    publish()
    assert published(cloud) is not None


def test_an_extra_that_is_no_object_is_refused(cloud: Cloud) -> None:
    with pytest.raises(SettingsError, match="The param connection_extra is a str and no JSON object"):
        publish(extra="verify-full")


@pytest.mark.parametrize(
    "extra",
    [
        {"host": "evil.example", "ssl": False},
        *({key: "x"} for key in ("port", "user", "password", "database", "unix_sock", "source_address")),
        *({key: "x"} for key in ("endpoint_url", "idp_host", "login_url", "credentials_provider", "auth_profile")),
        {"sslmode": "verify-full", "sslrootcert": "ca.pem"},
    ],
    ids=lambda extra: list(extra)[-1],
)
def test_an_extra_that_would_lead_the_password_elsewhere_is_refused(cloud: Cloud, extra: dict[str, object]) -> None:
    deploy(**CLIENTS)
    (refused,) = extra.keys() - {"ssl", "sslmode"}
    with pytest.raises(SettingsError, match=rf"connection_extra names {refused}, which could .*It may name ssl, ssl"):
        publish(extra=extra)
    assert published(cloud) is None


def test_what_an_extra_may_name_is_known_to_the_driver_and_is_published(cloud: Cloud) -> None:
    assert set(EXTRA_KEYS) <= inspect.signature(redshift_connector.connect).parameters.keys()
    deploy(**CLIENTS)
    publish(extra=dict.fromkeys(EXTRA_KEYS, 1))
    found = published(cloud)
    assert found
    assert set(found["extra"]) == set(EXTRA_KEYS)


@pytest.mark.parametrize("name", ["", "a b", "arn:aws:secretsmanager:x:1:secret:a", "a'", "é", "a" * 513, "a\n"])
def test_what_is_no_name_of_a_secret_is_refused(cloud: Cloud, name: str) -> None:
    with pytest.raises(SettingsError, match="secret=.* is not a name that Secrets Manager takes"):
        publish(secret=name)
