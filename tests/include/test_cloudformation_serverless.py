"""The template of a Serverless warehouse: as narrow as the one of a cluster, with a limit to what it costs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
import yaml

from tests.include.test_cloudformation import FOLDER, PARAMETERS, RESOURCES, Loader, broken_rules, command_on
from tests.pipeline import PROJECT
from tests.serverless_door import Serverless, serverless_api

pytestmark = pytest.mark.deployment

OF_CLUSTER: dict[str, Any] = yaml.load((FOLDER / "warehouse.yaml").read_text(), Loader)  # noqa: S506
SERVERLESS: dict[str, Any] = yaml.load((FOLDER / "warehouse-serverless.yaml").read_text(), Loader)  # noqa: S506
HERE = SERVERLESS["Resources"]
NAMESPACE, WORKGROUP = HERE["Namespace"]["Properties"], HERE["Workgroup"]["Properties"]
ARN = "arn:aws:redshift-serverless:us-west-2:123456789012:workgroup/1a2b3c4d"
OF_A_CLUSTER = {"EncryptedConnectionsOnly", "Subnets", "Warehouse"}
OF_SERVERLESS = {"SubnetC", "RoutesOfSubnetC", "Namespace", "Workgroup", "LimitSetterRole", "LimitSetter", "Limit"}


def test_the_parts_of_both_templates_are_the_same() -> None:
    assert RESOURCES.keys() - HERE.keys() == OF_A_CLUSTER
    assert HERE.keys() - RESOURCES.keys() == OF_SERVERLESS
    for name in HERE.keys() & RESOURCES.keys() - {"CopyRole"}:
        assert HERE[name] == RESOURCES[name], name
    ours, theirs = HERE["CopyRole"]["Properties"], RESOURCES["CopyRole"]["Properties"]
    assert ours["Policies"] == theirs["Policies"]
    (trust,), (trust_of_cluster,) = (one["AssumeRolePolicyDocument"]["Statement"] for one in (ours, theirs))
    services = ["redshift.amazonaws.com", "redshift-serverless.amazonaws.com"]
    assert trust == trust_of_cluster | {"Principal": {"Service": services}}


def test_what_one_calls_so_the_other_calls_so_too() -> None:
    both = PARAMETERS.keys() & SERVERLESS["Parameters"].keys()
    assert PARAMETERS.keys() - both == {"NodeType", "NumberOfNodes"}
    for name in both - {"LoadingUser", "DatabaseName", "AdminUser"}:
        for part in ("Type", "Default", "AllowedPattern", "AllowedValues"):
            assert SERVERLESS["Parameters"][name].get(part) == PARAMETERS[name].get(part), name
    assert SERVERLESS["Outputs"].keys() >= OF_CLUSTER["Outputs"].keys() - {"ClusterIdentifier", "AdminSecretArn"}


@pytest.mark.parametrize(
    ("user", "is_one"),
    [("sparkify_airflow", True), ("IAMR:sparkify-loader", True), ("IAM:ann@example.com", True), ("IAMR:", False)],
)
def test_who_loads_is_a_user_with_a_password_or_one_of_iam(user: str, is_one: bool) -> None:
    pattern = SERVERLESS["Parameters"]["LoadingUser"]["AllowedPattern"]
    assert (re.fullmatch(pattern, user) is not None) is is_one


@pytest.mark.parametrize(
    ("given", "refused_by"),
    [
        ({}, ["SomebodyMayConnect"]),
        ({"ClientSecurityGroup": "sg-1", "PubliclyAccessible": "true"}, ["PublicAddressIsForNamedAddresses"]),
        ({"ClientCidr": "10.0.0.0/16", "AdminUser": "loader", "LoadingUser": "loader"}, ["AdministratorDoesNotLoad"]),
        ({"ClientCidr": "10.0.0.0/16", "VpcId": "vpc-1"}, ["NetworkIsGivenWhole"]),
        ({"ClientCidr": "10.0.0.0/16"}, []),
    ],
)
def test_parameters_that_do_not_go_together_are_refused(given: dict[str, str], refused_by: list[str]) -> None:
    assert broken_rules(SERVERLESS, given) == refused_by


def test_it_speaks_tls_alone_logs_all_and_no_password_is_written_down() -> None:
    parameters = {one["ParameterKey"]: one["ParameterValue"] for one in WORKGROUP["ConfigParameters"]}
    assert parameters == {"require_ssl": "true", "enable_user_activity_logging": "true"}
    assert NAMESPACE["LogExports"] == ["connectionlog", "userlog", "useractivitylog"]
    assert NAMESPACE["ManageAdminPassword"] is True
    assert "AdminUserPassword" not in NAMESPACE


def test_the_copy_role_is_the_default_role_and_the_only_one() -> None:
    arn = {"Fn::GetAtt": ["CopyRole", "Arn"]}
    assert (NAMESPACE["DefaultIamRoleArn"], NAMESPACE["IamRoles"]) == (arn, [arn])


def test_a_key_of_ones_own_encrypts_the_namespace_and_its_administrators_secret() -> None:
    key = {"Fn::If": ["HasKey", {"Ref": "KmsKeyArn"}, {"Ref": "AWS::NoValue"}]}
    assert (NAMESPACE["KmsKeyId"], NAMESPACE["AdminPasswordSecretKmsKeyId"]) == (key, key)


def test_three_zones_are_used_where_copy_keeps_to_the_network_and_two_elsewhere() -> None:
    def subnets(*names: str) -> list[dict[str, str]]:
        return [{"Ref": name} for name in names]

    three, two = subnets("SubnetA", "SubnetB", "SubnetC"), subnets("SubnetA", "SubnetB")
    given = {"Fn::Split": [",", {"Ref": "SubnetIds"}]}
    assert WORKGROUP["SubnetIds"] == {
        "Fn::If": ["MakesNetwork", {"Fn::If": ["CopiesWithinNetwork", three, two]}, given]
    }
    assert WORKGROUP["EnhancedVpcRouting"] == {"Fn::If": ["CopiesWithinNetwork", True, False]}
    assert HERE["SubnetC"]["Condition"] == "MakesThirdSubnet"
    assert WORKGROUP["SecurityGroupIds"] == [{"Fn::GetAtt": ["Clients", "GroupId"]}]
    assert HERE["Workgroup"]["Metadata"]["WayOut"] == RESOURCES["Warehouse"]["Metadata"]["WayOut"]


def test_a_deleted_namespace_leaves_a_snapshot_whose_name_no_other_stack_wants() -> None:
    name, parts = NAMESPACE["FinalSnapshotName"]["Fn::Sub"]
    assert name == "${Name}-last-${Id}"
    assert parts == {"Id": {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}}
    assert NAMESPACE["FinalSnapshotRetentionPeriod"] == -1


def test_the_function_may_set_limits_in_this_region_and_nothing_else() -> None:
    role = HERE["LimitSetterRole"]["Properties"]
    assert "ManagedPolicyArns" not in role
    (statement,) = (one for policy in role["Policies"] for one in policy["PolicyDocument"]["Statement"])
    assert all(action.endswith(("UsageLimit", "UsageLimits")) for action in statement["Action"])
    assert statement["Condition"] == {"StringEquals": {"aws:RequestedRegion": {"Ref": "AWS::Region"}}}
    assert len(HERE["LimitSetter"]["Properties"]["Code"]["ZipFile"]) <= 4096


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serverless]:
    """Redshift Serverless's API, where the function finds it."""
    with serverless_api() as api:
        environment = {"AWS_ENDPOINT_URL_REDSHIFT_SERVERLESS": api.url, "AWS_DEFAULT_REGION": "us-west-2"}
        keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
        for name, value in (environment | keys).items():
            monkeypatch.setenv(name, value)
        # It keeps the first keys that it was given.
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
        yield api


@pytest.fixture
def deploy(api: Serverless) -> Callable[..., dict[str, Any]]:
    """The function's own code, called as CloudFormation calls it; returns what it answered."""
    code: dict[str, Any] = {}
    exec(HERE["LimitSetter"]["Properties"]["Code"]["ZipFile"], code)  # noqa: S102

    def deploy(kind: str, known: str | None = None, **properties: Any) -> dict[str, Any]:
        # CloudFormation hands all values over as text.
        asked = {"Workgroup": ARN, "Amount": "24", "Period": "daily", "Action": "deactivate"} | properties
        event = {"RequestType": kind, "ResponseURL": f"{api.url}/answer", "ResourceProperties": asked}
        event |= {"StackId": "stack", "RequestId": "request", "LogicalResourceId": "Limit"}
        if known:
            event["PhysicalResourceId"] = known
        code["handler"](event, None)
        answer = api.answers.pop()
        assert (answer["StackId"], answer["RequestId"], answer["LogicalResourceId"]) == ("stack", "request", "Limit")
        return answer

    return deploy


def test_a_limit_is_made_changed_and_deleted_with_the_stack(api: Serverless, deploy: Callable[..., Any]) -> None:
    made = deploy("Create")
    assert made["Status"] == "SUCCESS"
    limit = api.limits[made["PhysicalResourceId"]]
    assert (limit["resourceArn"], limit["usageType"], limit["period"]) == (ARN, "serverless-compute", "daily")
    assert (limit["amount"], limit["breachAction"]) == (24, "deactivate")
    changed = deploy("Update", made["PhysicalResourceId"], Amount="48", Action="log")
    assert changed["PhysicalResourceId"] == made["PhysicalResourceId"]
    assert (limit["amount"], limit["breachAction"]) == (48, "log")
    assert deploy("Delete", made["PhysicalResourceId"])["Status"] == "SUCCESS"
    assert not api.limits


def test_another_period_is_another_limit_and_the_old_one_goes(api: Serverless, deploy: Callable[..., Any]) -> None:
    daily = deploy("Create")["PhysicalResourceId"]
    monthly = deploy("Update", daily, Period="monthly")["PhysicalResourceId"]
    assert monthly != daily
    # What CloudFormation does when the id has changed.
    deploy("Delete", daily)
    assert [limit["period"] for limit in api.limits.values()] == ["monthly"]


def test_a_call_that_comes_twice_makes_one_limit(api: Serverless, deploy: Callable[..., Any]) -> None:
    assert deploy("Create")["PhysicalResourceId"] == deploy("Create")["PhysicalResourceId"]
    assert len(api.limits) == 1


def test_a_limit_that_aws_refuses_fails_the_stack_with_the_reason_and_is_rolled_back(
    deploy: Callable[..., Any],
) -> None:
    refused = deploy("Create", Amount="0")
    assert refused["Status"] == "FAILED"
    assert refused["Reason"].startswith("The usage limit could not be set: ")
    assert "The amount must be positive." in refused["Reason"]
    assert deploy("Delete", refused["PhysicalResourceId"])["Status"] == "SUCCESS"


def test_a_limit_that_is_gone_is_deleted(deploy: Callable[..., Any]) -> None:
    assert deploy("Delete", "limit-of-before")["Status"] == "SUCCESS"


def test_the_command_on_the_page_gives_every_parameter_without_a_default_and_none_that_there_is_not() -> None:
    given = command_on((PROJECT / "docs" / "deploy.md").read_text(), "warehouse-serverless.yaml")
    assert {name for name, slot in SERVERLESS["Parameters"].items() if "Default" not in slot} <= given
    assert given <= SERVERLESS["Parameters"].keys()
    assert given & {"ClientCidr", "ClientSecurityGroup"}
