"""The template: sound by cfn-lint, open to nobody but those who are named, and able to do only what COPY needs."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.pipeline import PROJECT

pytestmark = pytest.mark.deployment

FOLDER = PROJECT / "include" / "cloudformation"
PAGES = ("README.md", "docs/warehouse.md")


class Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms as the long ones."""


def _long_form(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    name = tag if tag in ("Ref", "Condition") else f"Fn::{tag}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        return {name: value.split(".", 1) if tag == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {name: loader.construct_mapping(node, deep=True)}


Loader.add_multi_constructor("!", _long_form)

TEMPLATE: dict[str, Any] = yaml.load((FOLDER / "warehouse.yaml").read_text(), Loader)  # noqa: S506
RESOURCES, PARAMETERS = TEMPLATE["Resources"], TEMPLATE["Parameters"]
CLUSTER = RESOURCES["Warehouse"]


def accepts(parameter: str, value: str) -> bool:
    """Whether CloudFormation takes the value: it matches the whole of it."""
    return re.fullmatch(PARAMETERS[parameter]["AllowedPattern"], value) is not None


@pytest.mark.parametrize("template", sorted(FOLDER.glob("*.yaml")), ids=lambda template: template.name)
def test_cfn_lint_finds_nothing(template: Path) -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), template], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


WIDE = ("0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "203.0.0.0/8", "203.0.0.0/15", "11.0.0.0/8", "::/0")
NOT_PRIVATE = ("10.0.0.0/7", "172.16.0.0/11", "172.15.0.0/12", "172.32.0.0/12", "192.168.0.0/15", "110.0.0.0/8")
NO_RANGE = (
    "10.0.0.0",
    "10.0.0.0/33",
    "999.999.999.999/32",
    "256.0.0.0/16",
    "10.0.0.256/8",
    "10.0.0/16",
    "10.0.0.0/16\n",
)


@pytest.mark.parametrize("refused", [*WIDE, *NOT_PRIVATE, *NO_RANGE])
def test_of_public_addresses_more_than_65536_are_refused_and_so_is_what_is_no_range(refused: str) -> None:
    assert not accepts("ClientCidr", refused)


@pytest.mark.parametrize(
    "named",
    [
        "",
        "203.0.113.7/32",
        "203.0.0.0/16",
        "10.0.0.0/8",
        "10.32.0.0/11",
        "10.0.0.0/16",
        "172.16.0.0/12",
        "172.31.0.0/15",
    ],
)
def test_named_and_private_addresses_are_admitted(named: str) -> None:
    assert accepts("ClientCidr", named)


@pytest.mark.parametrize(("prefix", "is_one"), [("10.42", True), ("172.31", True), ("999.1", False), ("10.256", False)])
def test_the_prefix_of_the_network_is_half_an_address(prefix: str, is_one: bool) -> None:
    assert accepts("NetworkPrefix", prefix) is is_one


@pytest.mark.parametrize(
    ("given", "refused_by"),
    [
        ({}, ["SomebodyMayConnect"]),
        ({"ClientCidr": "10.0.0.0/16"}, []),
        ({"ClientSecurityGroup": "sg-1"}, []),
        ({"ClientSecurityGroup": "sg-1", "PubliclyAccessible": "true"}, ["PublicAddressIsForNamedAddresses"]),
        ({"ClientCidr": "203.0.113.7/32", "PubliclyAccessible": "true"}, []),
        ({"ClientCidr": "10.0.0.0/16", "AdminUser": "loader", "LoadingUser": "loader"}, ["AdministratorDoesNotLoad"]),
        ({"ClientCidr": "10.0.0.0/16", "VpcId": "vpc-1"}, ["NetworkIsGivenWhole"]),
        ({"ClientCidr": "10.0.0.0/16", "SubnetIds": "subnet-1,subnet-2"}, ["NetworkIsGivenWhole"]),
        ({"ClientCidr": "10.0.0.0/16", "VpcId": "vpc-1", "SubnetIds": "subnet-1,subnet-2"}, []),
        ({"ClientCidr": "10.0.0.0/16", "NodeType": "ra3.4xlarge"}, ["LargeNodesComeInTwoOrMore"]),
        ({"ClientCidr": "10.0.0.0/16", "NodeType": "ra3.4xlarge", "NumberOfNodes": "2"}, []),
    ],
)
def test_parameters_that_do_not_go_together_are_refused(given: dict[str, str], refused_by: list[str]) -> None:
    assert broken_rules(TEMPLATE, given) == refused_by


def test_nobody_connects_but_those_of_the_parameters() -> None:
    doors = [
        resource["Properties"]
        for resource in RESOURCES.values()
        if resource["Type"] == "AWS::EC2::SecurityGroupIngress"
    ]
    sources = [door.get("CidrIp") or door.get("SourceSecurityGroupId") for door in doors]
    assert sources == [{"Ref": "ClientCidr"}, {"Ref": "ClientSecurityGroup"}]
    for door in doors:
        assert (door["IpProtocol"], door["FromPort"], door["ToPort"]) == ("tcp", 5439, 5439)
    assert "SecurityGroupIngress" not in RESOURCES["Clients"]["Properties"]
    assert PARAMETERS["PubliclyAccessible"]["Default"] == "false"


def test_the_cluster_is_encrypted_and_speaks_tls_alone_and_no_password_is_written_down() -> None:
    properties = CLUSTER["Properties"]
    assert properties["Encrypted"] is True
    assert properties["ManageMasterPassword"] is True
    assert "MasterUserPassword" not in properties
    group = RESOURCES[properties["ClusterParameterGroupName"]["Ref"]]["Properties"]
    assert {"ParameterName": "require_ssl", "ParameterValue": "true"} in group["Parameters"]
    assert properties["IamRoles"] == [{"Fn::GetAtt": ["CopyRole", "Arn"]}]


def test_connections_users_and_statements_are_logged() -> None:
    assert CLUSTER["Properties"]["LoggingProperties"] == {
        "LogDestinationType": "cloudwatch",
        "LogExports": ["connectionlog", "userlog", "useractivitylog"],
    }
    # Without it the third log is empty: https://docs.aws.amazon.com/redshift/latest/mgmt/db-auditing.html
    group = RESOURCES[CLUSTER["Properties"]["ClusterParameterGroupName"]["Ref"]]["Properties"]
    assert {"ParameterName": "enable_user_activity_logging", "ParameterValue": "true"} in group["Parameters"]


def test_a_key_of_ones_own_encrypts_the_cluster_and_its_administrators_secret() -> None:
    key = {"Fn::If": ["HasKey", {"Ref": "KmsKeyArn"}, {"Ref": "AWS::NoValue"}]}
    assert (CLUSTER["Properties"]["KmsKeyId"], CLUSTER["Properties"]["MasterPasswordSecretKmsKeyId"]) == (key, key)
    assert accepts("KmsKeyArn", "arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab")
    assert accepts("KmsKeyArn", "")
    assert not accepts("KmsKeyArn", "alias/mine")


def test_nothing_but_s3_of_this_region_is_within_the_clusters_reach() -> None:
    (way_out,) = RESOURCES["Clients"]["Properties"]["SecurityGroupEgress"]
    assert way_out["DestinationPrefixListId"] == {"Ref": "S3PrefixList"}
    assert (way_out["IpProtocol"], way_out["FromPort"], way_out["ToPort"]) == ("tcp", 443, 443)
    assert not [one for one in RESOURCES.values() if one["Type"] == "AWS::EC2::SecurityGroupEgress"]


def test_by_the_endpoint_the_two_buckets_alone_are_read() -> None:
    (allowed,) = RESOURCES["S3Endpoint"]["Properties"]["PolicyDocument"]["Statement"]
    assert allowed["Action"] == ["s3:GetObject", "s3:ListBucket", "s3:GetBucketLocation"]
    source, control = "arn:${AWS::Partition}:s3:::${SourceBucket}", "arn:${AWS::Partition}:s3:::${Bucket}"
    assert [_text(one) for one in allowed["Resource"]] == [source, f"{source}/*", control, f"{control}/*"]
    assert _is_by_tls_alone(allowed)


def test_a_deleted_cluster_and_a_replaced_one_leave_a_snapshot() -> None:
    assert CLUSTER["DeletionPolicy"] == "Snapshot"
    assert CLUSTER["UpdateReplacePolicy"] == "Snapshot"
    # Only what has a name of its own stands in the way of being replaced.
    assert "ClusterIdentifier" not in CLUSTER["Properties"]


def test_the_cluster_waits_for_the_way_out_that_its_public_address_needs() -> None:
    assert CLUSTER["Metadata"]["WayOut"] == {"Fn::If": ["MakesWayOut", {"Ref": "WayOut"}, "none"]}
    assert RESOURCES["WayOut"]["DependsOn"] == "InternetGatewayOfNetwork"


def test_no_tag_is_a_reference_whose_text_no_tag_may_hold() -> None:
    tagged = [tag for resource in RESOURCES.values() for tag in resource.get("Properties", {}).get("Tags", [])]
    assert [tag["Value"] for tag in tagged] == [{"Ref": "AWS::StackName"}]


def test_the_copy_role_reads_the_source_files_and_the_manifests_and_nothing_else() -> None:
    role = RESOURCES["CopyRole"]["Properties"]
    assert "ManagedPolicyArns" not in role
    assert all(_is_by_tls_alone(one) for policy in role["Policies"] for one in policy["PolicyDocument"]["Statement"])
    granted = {
        (statement["Action"], _text(resource), str(statement.get("Condition", {}).get("StringLike", "")))
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        for resource in _list(statement["Resource"])
    }
    source, control = "arn:${AWS::Partition}:s3:::${SourceBucket}", "arn:${AWS::Partition}:s3:::${Bucket}"
    assert granted == {
        ("s3:GetObject", f"{source}/log_data/*", ""),
        ("s3:GetObject", f"{source}/song_data/*", ""),
        ("s3:ListBucket", source, "{'s3:prefix': ['log_data/*', 'song_data/*']}"),
        ("s3:GetBucketLocation", source, ""),
        ("s3:GetObject", f"{control}/${{ControlPrefix}}/*", ""),
        ("s3:ListBucket", control, "{'s3:prefix': {'Fn::Sub': '${ControlPrefix}/*'}}"),
        ("s3:GetBucketLocation", control, ""),
    }


def test_redshift_takes_the_copy_role_for_the_loading_user_of_this_account_alone() -> None:
    (trust,) = RESOURCES["CopyRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    user = "arn:${AWS::Partition}:redshift:${AWS::Region}:${AWS::AccountId}:dbuser:*/${LoadingUser}"
    assert trust == {
        "Effect": "Allow",
        "Principal": {"Service": "redshift.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringLike": {"sts:ExternalId": {"Fn::Sub": user}}},
    }
    assert TEMPLATE["Outputs"]["LoadingUser"]["Value"] == {"Ref": "LoadingUser"}


@pytest.mark.parametrize("page", PAGES)
def test_the_command_on_a_page_gives_every_parameter_without_a_default_and_none_that_there_is_not(page: str) -> None:
    given = command_on((PROJECT / page).read_text(), "warehouse.yaml")
    assert {name for name, slot in PARAMETERS.items() if "Default" not in slot} <= given
    assert given <= PARAMETERS.keys()
    assert given & {"ClientCidr", "ClientSecurityGroup"}


def broken_rules(template: dict[str, Any], given: dict[str, str]) -> list[str]:
    """The template's rules that refuse these values of its parameters."""
    values = {name: str(given.get(name, slot.get("Default"))) for name, slot in template["Parameters"].items()}
    return [
        name
        for name, rule in template["Rules"].items()
        if _holds(rule.get("RuleCondition", True), values)
        and not all(_holds(assertion["Assert"], values) for assertion in rule["Assertions"])
    ]


def command_on(page: str, template: str) -> set[str]:
    """The parameters that the page's command for a template gives."""
    command = page.partition(f"--template-file include/cloudformation/{template}")[2].partition("```")[0]
    return set(re.findall(r"\b([A-Z]\w+)=", command))


def _holds(expression: Any, values: dict[str, str]) -> Any:
    """What a rule's expression gives; CloudFormation compares as text."""
    if not isinstance(expression, dict):
        return [_holds(part, values) for part in expression] if isinstance(expression, list) else str(expression)
    ((function, argument),) = expression.items()
    if function == "Ref":
        return values[argument]
    parts = [_holds(part, values) for part in argument]
    functions: dict[str, Callable[[], bool]] = {
        "Fn::Equals": lambda: parts[0] == parts[1],
        "Fn::Not": lambda: not parts[0],
        "Fn::And": lambda: all(parts),
        "Fn::Or": lambda: any(parts),
        "Fn::Contains": lambda: parts[1] in parts[0],
    }
    return functions[function]()


def _is_by_tls_alone(statement: dict[str, Any]) -> bool:
    return bool(statement["Condition"].get("Bool") == {"aws:SecureTransport": "true"})


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(resource: dict[str, Any]) -> str:
    text = resource["Fn::Sub"]
    return str(text[0] if isinstance(text, list) else text)
