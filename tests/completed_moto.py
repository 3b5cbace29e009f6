"""AWS in this process: moto, and what it lacks of the warehouse's stack.

Each double below says what of AWS it stands for; moto 5.2.5 ignores that part, or fails at it. They are our model of
AWS, so what is green on them proves the DAG's own logic and nothing about AWS.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import CloudFormationBackend, Event, Stack
from moto.cloudformation.responses import CloudFormationResponse
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.responses import ActionResult
from moto.ec2.models.route_tables import RouteTable
from moto.redshift.models import Cluster, redshift_backends
from moto.redshift.responses import RedshiftResponse
from moto.secretsmanager.models import secretsmanager_backends
from moto.server import ThreadedMotoServer

DEPLOYED = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
REGION = "us-west-2"
KEY = "testing"
ADMINISTERED = ("cloudformation", "ec2", "redshift", "secretsmanager")


class BrokenError(Exception):
    """A resource that cannot be made or changed; its text is AWS's reason."""


@dataclass
class Cloud:
    """The running moto.

    :param url: where it listens.
    :param host: what it says the endpoint of a cluster is, with ``port``; a server that is there.
    :param password: what it says the admin's password is.
    """

    url: str
    host: str
    port: int
    password: str
    #: Why no cluster can be made or changed; None while one can.
    broken: str | None = None
    #: How often somebody has to look before a change is done.
    looks: int = 1
    #: What is said to be in progress: an object's id to how often still, and what it then is.
    unsettled: dict[int, tuple[int, str]] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """A boto3 client of it."""
        connect: Any = boto3.client
        return connect(
            service, endpoint_url=self.url, region_name=REGION, aws_access_key_id=KEY, aws_secret_access_key=KEY
        )

    def admin_connection(self, aws_default: Mapping[str, Any]) -> dict[str, Any]:
        """The connection ``aws_admin``: this moto for what the warehouse's DAG makes, and the same S3 as the loads."""
        extra = aws_default["extra"]
        services = {service: {"endpoint_url": self.url} for service in ADMINISTERED}
        return {**aws_default, "extra": {**extra, "service_config": services}}

    def prefix_list(self) -> str:
        """The id of S3's addresses."""
        name = {"Name": "prefix-list-name", "Values": [f"com.amazonaws.{REGION}.s3"]}
        (found,) = self.client("ec2").describe_managed_prefix_lists(Filters=[name])["PrefixLists"]
        return str(found["PrefixListId"])

    def cluster(self) -> dict[str, Any]:
        """The one cluster that there is."""
        (found,) = self.client("redshift").describe_clusters()["Clusters"]
        return dict(found)

    def settle_later(self, thing: Any, meanwhile: str) -> None:
        """Let a stack or cluster have another status until it was looked at a few times."""
        if self.looks:
            self.unsettled[id(thing)] = (self.looks, thing.status)
            thing.status = meanwhile

    def look(self, thing: Any) -> None:
        """One look at a stack or a cluster."""
        if id(thing) in self.unsettled:
            left, status = self.unsettled.pop(id(thing))
            if left:
                self.unsettled[id(thing)] = (left - 1, status)
            else:
                thing.status = status


@contextmanager
def running_cloud(host: str, port: int, password: str) -> Iterator[Cloud]:
    """moto on a free port of the loopback interface, completed for as long as it runs."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        cloud = Cloud("http://{}:{}".format(*server.get_host_and_port()), host, port, password)
        with pytest.MonkeyPatch.context() as patch:
            # Machine images, which nothing here starts, take longest of an AWS that is made.
            patch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
            _complete_clusters(patch, cloud)
            _complete_stacks(patch, cloud)
            yield cloud
    finally:
        server.stop()


def _complete_clusters(patch: pytest.MonkeyPatch, cloud: Cloud) -> None:
    """Redshift by CloudFormation, the admin's managed password, the default role, and time that passes."""

    def create(
        _cls: type[Cluster], /, name: str, cloudformation_json: Any, account_id: str, region_name: str, **_: Any
    ) -> Cluster:
        if cloud.broken:
            raise BrokenError(cloud.broken)
        given = cloudformation_json["Properties"]
        backend = redshift_backends[account_id][region_name]
        cluster = backend.create_cluster(
            cluster_identifier=given.get("ClusterIdentifier") or name.lower(),
            node_type=given["NodeType"],
            master_username=given["MasterUsername"],
            master_user_password=None,
            db_name=given["DBName"],
            cluster_type=given["ClusterType"],
            cluster_security_groups=[],
            vpc_security_group_ids=given["VpcSecurityGroupIds"],
            cluster_subnet_group_name=given["ClusterSubnetGroupName"].cluster_subnet_group_name,
            availability_zone=None,
            preferred_maintenance_window=None,
            cluster_parameter_group_name=given["ClusterParameterGroupName"].name,
            automated_snapshot_retention_period=given["AutomatedSnapshotRetentionPeriod"],
            port=cloud.port,
            cluster_version=None,
            allow_version_upgrade=True,
            number_of_nodes=given.get("NumberOfNodes"),
            publicly_accessible=given["PubliclyAccessible"],
            encrypted=given["Encrypted"],
            region_name=region_name,
            tags=given.get("Tags"),
            iam_roles_arn=given["IamRoles"],
            enhanced_vpc_routing=given["EnhancedVpcRouting"],
        )
        cluster.default_iam_role_arn = None
        if given["ManageMasterPassword"]:
            secret = secretsmanager_backends[account_id][region_name].create_managed_secret(
                service_name="redshift",
                secret_id=f"redshift!{cluster.cluster_identifier}-{cluster.master_username}",
                secret_string=json.dumps({"username": cluster.master_username, "password": cloud.password}),
            )
            cluster.master_password_secret_arn = secret.arn
        return cluster

    def update(_cls: type[Cluster], /, original_resource: Cluster, cloudformation_json: Any, **_: Any) -> Cluster:
        if cloud.broken:
            raise BrokenError(cloud.broken)
        given = cloudformation_json["Properties"]
        original_resource.number_of_nodes = int(given.get("NumberOfNodes", 1))
        original_resource.node_type = given["NodeType"]
        return original_resource

    def delete(_cls: type[Cluster], /, name: str, cloudformation_json: Any, account_id: str, region_name: str) -> None:
        backend = redshift_backends[account_id][region_name]
        if cloudformation_json.get("DeletionPolicy") == "Snapshot":
            backend.create_cluster_snapshot(name, f"{name}-final", region_name, [])
        cluster = backend.delete_cluster(
            cluster_identifier=name, skip_final_snapshot=True, final_cluster_snapshot_identifier=None
        )
        secretsmanager_backends[account_id][region_name].delete_secret(
            cluster.master_password_secret_arn, recovery_window_in_days=None, force_delete_without_recovery=True
        )

    def attribute(cluster: Cluster, name: str) -> object:
        return {
            "Endpoint.Address": cluster.address,
            "Endpoint.Port": str(cluster.port),
            "MasterPasswordSecretArn": cluster.master_password_secret_arn,
        }[name]

    def modify_cluster_iam_roles(response: Any) -> ActionResult:
        (cluster,) = response.redshift_backend.describe_clusters(response._get_param("ClusterIdentifier"))
        role = response._get_param("DefaultIamRoleArn")
        assert role in cluster.iam_roles_arn, "Redshift refuses a default role that is not attached"
        cluster.default_iam_role_arn = role
        return ActionResult({"Cluster": cluster})

    def switch(status: str, meanwhile: str) -> Any:
        def to_status(cluster: Cluster) -> None:
            cluster.status = status
            cloud.settle_later(cluster, meanwhile)

        return to_status

    describe = redshift_backends[DEFAULT_ACCOUNT_ID][REGION].__class__.describe_clusters

    def describe_clusters(backend: Any, *arguments: Any, **keywords: Any) -> list[Cluster]:
        found: list[Cluster] = describe(backend, *arguments, **keywords)
        for cluster in found:
            cloud.look(cluster)
        return found

    patch.setattr(Cluster, "create_from_cloudformation_json", classmethod(create))
    patch.setattr(Cluster, "update_from_cloudformation_json", classmethod(update))
    patch.setattr(Cluster, "delete_from_cloudformation_json", classmethod(delete))
    patch.setattr(Cluster, "physical_resource_id", property(lambda cluster: cluster.cluster_identifier), raising=False)
    patch.setattr(Cluster, "address", property(lambda _: cloud.host))
    patch.setattr(Cluster, "get_cfn_attribute", attribute)
    patch.setattr(Cluster, "has_cfn_attr", classmethod(lambda *_: True))
    patch.setattr(Cluster, "pause", switch("paused", "pausing"))
    patch.setattr(Cluster, "resume", switch("available", "resuming"))
    patch.setattr(type(redshift_backends[DEFAULT_ACCOUNT_ID][REGION]), "describe_clusters", describe_clusters)
    patch.setattr(RedshiftResponse, "modify_cluster_iam_roles", modify_cluster_iam_roles, raising=False)


def _complete_stacks(patch: pytest.MonkeyPatch, cloud: Cloud) -> None:
    """Roll-back and its events, protected deletion, parameters' patterns and previous values, and time that passes."""
    create, change, describe = Stack.create_resources, Stack.update, CloudFormationBackend.describe_stacks
    make, outputs = CloudFormationBackend.create_stack, Stack.outputs.fget
    delete = CloudFormationBackend.delete_stack

    def event(stack: Stack, logical_id: str, kind: str, status: str, reason: str) -> None:
        stack.events.append(Event(stack.stack_id, stack.name, logical_id, "", kind, status, reason, None))

    def create_stack(backend: CloudFormationBackend, name: str, template: str, parameters: Any, **rest: Any) -> Stack:
        _refuse_wrong_parameters(name, template, parameters)
        return make(backend, name, template, parameters, **rest)

    def create_resources(stack: Stack) -> None:
        stack.parameters = {name: str(value) for name, value in stack.stack_parameters.items()}
        try:
            create(stack)
        except BrokenError as error:
            event(stack, "Warehouse", "AWS::Redshift::Cluster", "CREATE_FAILED", str(error))
            event(stack, "S3Endpoint", "AWS::EC2::VPCEndpoint", "CREATE_FAILED", "Resource creation cancelled")
            stack._add_stack_event("ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create: [Warehouse].")
            stack._add_stack_event("ROLLBACK_COMPLETE")
            stack.status = "ROLLBACK_COMPLETE"
        cloud.settle_later(stack, "CREATE_IN_PROGRESS")

    def update(stack: Stack, template: str, *arguments: Any, parameters: Mapping[str, str], **keywords: Any) -> None:
        _refuse_wrong_parameters(stack.name, template, parameters)
        before = stack.template, stack.parameters
        try:
            change(stack, template, *arguments, parameters=parameters, **keywords)
        except BrokenError as error:
            event(stack, "Warehouse", "AWS::Redshift::Cluster", "UPDATE_FAILED", str(error))
            stack._add_stack_event("UPDATE_ROLLBACK_COMPLETE")
            stack.template, stack.parameters = before
            stack.resource_map.input_parameters = before[1]
            stack.resource_map.load_parameters()
            stack.status = "UPDATE_ROLLBACK_COMPLETE"
        cloud.settle_later(stack, "UPDATE_IN_PROGRESS")

    def describe_stacks(backend: CloudFormationBackend, name: str) -> list[Stack]:
        found: list[Stack] = describe(backend, name)
        for stack in found:
            cloud.look(stack)
        return found

    def outputs_once_deployed(stack: Stack) -> Any:
        # moto makes a resource when it is first asked for, which would be now.
        return outputs(stack) if stack.status in DEPLOYED else None

    def update_termination_protection(response: CloudFormationResponse) -> ActionResult:
        (stack,) = response.cloudformation_backend.describe_stacks(response._get_param("StackName"))
        stack.enable_termination_protection = response._get_bool_param("EnableTerminationProtection")
        return ActionResult({"StackId": stack.stack_id})

    def delete_stack(backend: CloudFormationBackend, name: str) -> None:
        for stack in backend.stacks.values():
            if name in (stack.name, stack.stack_id) and stack.enable_termination_protection:
                raise ValidationError(name, f"Stack [{name}] cannot be deleted while TerminationProtection is enabled")
        delete(backend, name)

    def delete_routes(routes: RouteTable, account_id: str, region_name: str) -> None:
        routes.ec2_backend.route_tables.pop(routes.id, None)

    patch.setattr(RouteTable, "delete", delete_routes, raising=False)
    patch.setattr(Stack, "create_resources", create_resources)
    patch.setattr(Stack, "update", update)
    patch.setattr(Stack, "outputs", property(outputs_once_deployed))
    patch.setattr(CloudFormationBackend, "create_stack", create_stack)
    patch.setattr(CloudFormationBackend, "describe_stacks", describe_stacks)
    patch.setattr(CloudFormationBackend, "delete_stack", delete_stack)
    patch.setattr(CloudFormationResponse, "update_termination_protection", update_termination_protection, raising=False)


def _refuse_wrong_parameters(stack: str, template: str, given: Mapping[str, str]) -> None:
    slots = Stack.parse_template(template)["Parameters"]
    for name, value in given.items():
        pattern = slots[name].get("AllowedPattern")
        if pattern and not re.fullmatch(pattern, str(value)):
            raise ValidationError(stack, f"Parameter {name} failed to satisfy constraint: {pattern}")
