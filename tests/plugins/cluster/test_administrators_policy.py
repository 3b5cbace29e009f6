"""The policy of docs/security.md suffices for every call of the operators that make, switch and delete the cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import requests
from botocore.exceptions import ClientError

from sparkify.cluster.set_default_role import SetDefaultRoleOperator
from sparkify.cluster.switch_cluster import SwitchClusterOperator
from sparkify.loading.exceptions import SettingsError
from tests.completed_moto import REGION, Cloud
from tests.pipeline import Pipeline
from tests.plugins.cluster.test_create_loading_user import Provisioned, withdraw
from tests.plugins.cluster.test_deploy_stack import CLIENTS, STACK, delete, deploy, is_deleted, is_deployed
from tests.security.documented import policies

pytestmark = pytest.mark.deployment

CONTEXT: Any = {}


def _asks_iam(cloud: Cloud, after_requests: str) -> str:
    """Let moto ask IAM about every request after so many; returns the number that it was before."""
    asked = requests.post(f"{cloud.url}/moto-api/reset-auth", data=after_requests.encode(), timeout=60)
    return str(asked.json()["PREVIOUS_INITIAL_NO_AUTH_ACTION_COUNT"])


@pytest.fixture
def administrator(cloud: Cloud, pipeline: Pipeline) -> Iterator[dict[str, str]]:
    """``aws_admin`` is a user of that policy, and IAM refuses all else; moto knows resources of S3 alone."""
    (policy,) = policies("The administrator's AWS user or role")
    for statement in policy["Statement"]:
        statement.pop("Condition", None)
        statement["Resource"] = "*"
    iam = cloud.client("iam")
    iam.create_user(UserName="admin")
    iam.put_user_policy(UserName="admin", PolicyName="admin", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName="admin")["AccessKey"]
    connection = cloud.admin_connection(pipeline.aws)
    connection |= {"login": key["AccessKeyId"], "password": key["SecretAccessKey"]}
    pipeline.set_connection("aws_admin", connection)
    before = _asks_iam(cloud, "0")
    yield {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    _asks_iam(cloud, before)


def test_the_policy_suffices_from_the_first_provision_to_the_teardown(
    administrator: dict[str, str], cloud: Cloud, pipeline: Pipeline
) -> None:
    warehouse = pipeline.stack.redshift
    names = {"AdminUser": warehouse["user"], "DatabaseName": warehouse["database"]}
    assert deploy(**CLIENTS, **names) == "created"
    assert is_deployed("created")
    assert deploy(NumberOfNodes=2) == "updated"
    SetDefaultRoleOperator(task_id="role", stack=STACK).execute(CONTEXT)
    Provisioned(cloud, pipeline, "sparkify_airflow").run("tables")
    for status in ("paused", "available"):
        SwitchClusterOperator(task_id="switch", stack=STACK, status=status).execute(CONTEXT)
    withdraw()
    delete()
    assert is_deleted()


@pytest.mark.parametrize(
    ("service", "call", "arguments"),
    [
        ("iam", "create_user", {"UserName": "another"}),
        ("iam", "attach_role_policy", {"RoleName": "a", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}),
        ("ec2", "run_instances", {"MinCount": 1, "MaxCount": 1}),
        ("secretsmanager", "list_secrets", {}),
        ("sts", "assume_role", {"RoleArn": "arn:aws:iam::123456789012:role/a", "RoleSessionName": "admin"}),
    ],
)
def test_the_policy_allows_nothing_besides(
    administrator: dict[str, str], cloud: Cloud, service: str, call: str, arguments: dict[str, Any]
) -> None:
    connect: Any = boto3.client
    client = connect(service, endpoint_url=cloud.url, region_name=REGION, **administrator)
    with pytest.raises(ClientError, match="AccessDenied|UnauthorizedOperation"):
        getattr(client, call)(**arguments)


def test_without_the_policy_a_call_is_refused_in_words(
    administrator: dict[str, str], cloud: Cloud, pipeline: Pipeline
) -> None:
    before = _asks_iam(cloud, "inf")
    cloud.client("iam").delete_user_policy(UserName="admin", PolicyName="admin")
    _asks_iam(cloud, before)
    with pytest.raises(SettingsError, match="AWS refused permission .* Grant it to the user or role of the connection"):
        deploy(**CLIENTS)
