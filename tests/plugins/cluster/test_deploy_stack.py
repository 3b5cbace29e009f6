"""The stack: created, updated, explained when it failed, deleted once its name was typed."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ec2.models import ec2_backends

from sparkify.cluster.delete_stack import DeleteStackOperator
from sparkify.cluster.deploy_stack import DeployStackOperator
from sparkify.cluster.stack_sensor import StackSensor
from sparkify.loading.exceptions import SettingsError
from tests.completed_moto import REGION, Cloud
from tests.pipeline import PROJECT

pytestmark = pytest.mark.deployment

STACK = "sparkify-warehouse"
CLIENTS = {"ClientCidr": "10.0.0.0/16"}
TEMPLATE = str(PROJECT / "include" / "cloudformation" / "warehouse.yaml")
CONTEXT: Any = {}


def deploy(**parameters: Any) -> str:
    """One deployment with these parameters; what it did."""
    return DeployStackOperator(task_id="deploy", stack=STACK, template=TEMPLATE, parameters=parameters).execute(CONTEXT)


def is_deployed(change: str = "") -> bool:
    """One look at the stack."""
    return StackSensor(task_id="wait", stack=STACK, until="deployed", change=change).poke(CONTEXT)


def is_deleted() -> bool:
    """One look at the stack that goes away."""
    return StackSensor(task_id="wait", stack=STACK, until="deleted").poke(CONTEXT)


def delete(confirm: str = STACK) -> None:
    """One deletion."""
    DeleteStackOperator(task_id="delete", stack=STACK, confirm=confirm).execute(CONTEXT)


def in_state(monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    """Let the stack be in a state that moto has none of."""
    described = {"StackStatus": status, "Outputs": [], "Parameters": []}
    monkeypatch.setattr("sparkify.cluster.stack.Stack.description", lambda _: described)


def parameters_of(cloud: Cloud) -> dict[str, str]:
    """The stack's parameters."""
    (stack,) = cloud.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    return {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in stack["Parameters"]}


def test_the_buckets_are_those_of_the_connection(cloud: Cloud) -> None:
    assert deploy(**CLIENTS) == "created"
    given = parameters_of(cloud)
    assert (given["SourceBucket"], given["ControlBucket"], given["ControlPrefix"]) == (
        "my-bucket",
        "my-control",
        "sparkify",
    )
    with pytest.raises(SettingsError, match="SourceBucket is not to be given: it is 'my-bucket' by the connection"):
        deploy(SourceBucket="another")


def test_nothing_to_change_is_a_success(cloud: Cloud) -> None:
    assert deploy(**CLIENTS) == "created"
    assert is_deployed("created")
    assert deploy(**CLIENTS) == "unchanged"
    assert is_deployed("unchanged")


def test_a_parameter_that_is_not_given_keeps_its_value(cloud: Cloud) -> None:
    deploy(**CLIENTS, NodeType="ra3.xlplus")
    assert deploy(NumberOfNodes=2) == "updated"
    assert is_deployed("updated")
    assert (cloud.cluster()["NodeType"], cloud.cluster()["NumberOfNodes"]) == ("ra3.xlplus", 2)
    assert parameters_of(cloud)["ClientCidr"] == "10.0.0.0/16"


def test_a_cluster_can_live_in_a_network_that_is_there(cloud: Cloud) -> None:
    ec2 = cloud.client("ec2")
    network = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    ranges = [f"10.1.{number}.0/24" for number in (1, 2)]
    subnets = [ec2.create_subnet(VpcId=network, CidrBlock=cidr)["Subnet"]["SubnetId"] for cidr in ranges]
    before = len(ec2.describe_vpcs()["Vpcs"])
    deploy(**CLIENTS, VpcId=network, SubnetIds=",".join(subnets))
    assert len(ec2.describe_vpcs()["Vpcs"]) == before
    (group,) = cloud.client("redshift").describe_cluster_subnet_groups()["ClusterSubnetGroups"]
    assert {subnet["SubnetIdentifier"] for subnet in group["Subnets"]} == set(subnets)
    # It may have no S3 endpoint, without which COPY would find no way.
    assert not cloud.cluster()["EnhancedVpcRouting"]


def test_a_public_address_comes_with_a_way_out_and_is_open_to_the_named_address_alone(cloud: Cloud) -> None:
    deploy(ClientCidr="203.0.113.7/32", PubliclyAccessible=True)
    cluster, ec2 = cloud.cluster(), cloud.client("ec2")
    assert cluster["PubliclyAccessible"]
    routes = [route for table in ec2.describe_route_tables()["RouteTables"] for route in table["Routes"]]
    assert any(route.get("GatewayId", "").startswith("igw-") for route in routes)
    door = cluster["VpcSecurityGroups"][0]["VpcSecurityGroupId"]
    (admitted,) = ec2.describe_security_groups(GroupIds=[door])["SecurityGroups"][0]["IpPermissions"]
    assert [admits["CidrIp"] for admits in admitted["IpRanges"]] == ["203.0.113.7/32"]


def test_a_wait_goes_on_while_the_stack_is_being_made(cloud: Cloud) -> None:
    cloud.looks = 2
    deploy(**CLIENTS)
    assert [is_deployed() for _ in range(3)] == [False, False, True]


def test_a_try_that_was_killed_after_it_had_begun_goes_on(cloud: Cloud) -> None:
    cloud.looks = 3
    deploy(**CLIENTS)
    assert deploy(**CLIENTS) == "under way"


def test_a_stack_that_could_not_be_made_is_explained_by_what_failed_and_why(cloud: Cloud) -> None:
    cloud.broken = "You have reached your quota of ra3.large nodes"
    deploy(**CLIENTS)
    explained = (
        r"The stack sparkify-warehouse could not be created, and can only be deleted\. Its events say: Warehouse "
        r"\(AWS::Redshift::Cluster\): You have reached your quota of ra3\.large nodes\. Trigger sparkify_warehouse "
        r"with action teardown.*, then provision again\.$"
    )
    with pytest.raises(SettingsError, match=explained):
        is_deployed("created")
    cloud.broken = None
    with pytest.raises(SettingsError, match=explained):
        deploy(**CLIENTS)
    delete()
    assert is_deleted()
    assert deploy(**CLIENTS) == "created"
    assert is_deployed("created")


def test_an_update_that_was_rolled_back_fails_that_run_and_no_later_one(cloud: Cloud) -> None:
    deploy(**CLIENTS)
    cloud.broken = "There is no capacity in this zone"
    assert deploy(NumberOfNodes=2) == "updated"
    with pytest.raises(SettingsError, match=r"could not be updated, and is as it was\. .*no capacity in this zone"):
        is_deployed("updated")
    assert cloud.cluster()["NumberOfNodes"] == 1
    assert deploy() == "unchanged"
    assert is_deployed("unchanged")


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        ("REVIEW_IN_PROGRESS", "waits for somebody to execute its change set"),
        ("DELETE_IN_PROGRESS", "is being deleted. When that has ended, clear this task"),
        ("UPDATE_ROLLBACK_FAILED", "run aws cloudformation continue-update-rollback"),
    ],
)
def test_a_stack_that_cannot_be_changed_says_what_to_do(
    cloud: Cloud, status: str, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(**CLIENTS)
    in_state(monkeypatch, status)
    with pytest.raises(SettingsError, match=advice):
        deploy(**CLIENTS)


def test_what_cloudformation_refuses_is_said_in_its_words(cloud: Cloud) -> None:
    with pytest.raises(SettingsError, match="Could not create the stack sparkify-warehouse: Parameter ClientCidr fail"):
        deploy(ClientCidr="0.0.0.0/0")
    with pytest.raises(SettingsError, match=r"The template has no parameter Nodes\. It has AdminUser, ClientCidr"):
        deploy(**CLIENTS, Nodes=2)
    with pytest.raises(SettingsError, match="The param parameters is a str and no JSON object .*; it is not shown"):
        DeployStackOperator(task_id="deploy", stack=STACK, template=TEMPLATE, parameters="ClientCidr").execute(CONTEXT)


def test_a_paused_cluster_is_not_changed(cloud: Cloud) -> None:
    deploy(**CLIENTS)
    cloud.client("redshift").pause_cluster(ClusterIdentifier=cloud.cluster()["ClusterIdentifier"])
    with pytest.raises(SettingsError, match="is paused, and a paused cluster can be neither changed nor asked"):
        deploy(NumberOfNodes=2)


def test_a_stack_is_protected_until_its_name_was_typed(cloud: Cloud) -> None:
    cloudformation = cloud.client("cloudformation")

    def is_protected() -> bool:
        return bool(cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["EnableTerminationProtection"])

    deploy(**CLIENTS)
    assert is_protected()
    with pytest.raises(ClientError, match="TerminationProtection is enabled"):
        cloudformation.delete_stack(StackName=STACK)
    with pytest.raises(SettingsError, match="nothing was deleted"):
        delete("yes")
    assert is_protected()
    cloudformation.update_termination_protection(StackName=STACK, EnableTerminationProtection=False)
    assert deploy() == "unchanged"
    assert is_protected()
    delete()
    assert is_deleted()


def test_the_cluster_reaches_s3_of_its_region_and_nothing_else(cloud: Cloud) -> None:
    deploy(**CLIENTS)
    assert parameters_of(cloud)["S3PrefixList"] == cloud.prefix_list()
    assert deploy(S3PrefixList="pl-1") == "updated"
    assert parameters_of(cloud)["S3PrefixList"] == "pl-1"


def test_a_region_whose_prefix_list_is_unknown_asks_for_it(cloud: Cloud) -> None:
    ec2_backends[DEFAULT_ACCOUNT_ID][REGION].managed_prefix_lists.clear()
    with pytest.raises(SettingsError, match=rf'no prefix list com\.amazonaws\.{REGION}\.s3 .* {{"S3PrefixList": "pl-'):
        deploy(**CLIENTS)
    assert deploy(**CLIENTS, S3PrefixList="pl-1") == "created"


@pytest.mark.parametrize("typed", ["", "yes", "Sparkify-warehouse", "sparkify-warehouse2"])
def test_nothing_is_deleted_unless_the_stacks_name_was_typed(cloud: Cloud, typed: str) -> None:
    deploy(**CLIENTS)
    with pytest.raises(SettingsError, match="is not the stack's name, 'sparkify-warehouse'; nothing was deleted"):
        delete(typed)
    assert cloud.cluster()["ClusterStatus"] == "available"


def test_a_deleted_stack_leaves_a_snapshot_and_can_be_deleted_again(cloud: Cloud) -> None:
    deploy(**CLIENTS)
    identifier = cloud.cluster()["ClusterIdentifier"]
    delete()
    assert is_deleted()
    (snapshot,) = cloud.client("redshift").describe_cluster_snapshots()["Snapshots"]
    assert snapshot["ClusterIdentifier"] == identifier
    delete()
    assert is_deleted()


def test_a_stack_that_cannot_be_deleted_is_explained(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    deploy(**CLIENTS)
    in_state(monkeypatch, "DELETE_FAILED")
    with pytest.raises(SettingsError, match="could not be deleted.* Fix what blocks it"):
        is_deleted()


def test_a_wait_for_a_stack_that_nobody_made_ends(cloud: Cloud) -> None:
    with pytest.raises(SettingsError, match="There is no stack sparkify-warehouse in this account and region"):
        is_deployed()
