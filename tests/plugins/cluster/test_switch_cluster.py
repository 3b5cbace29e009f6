"""The cluster: paused and resumed, waited for, and given the role that COPY uses."""

from __future__ import annotations

from typing import Any

import pytest

from sparkify.cluster.cluster_sensor import ClusterSensor
from sparkify.cluster.set_default_role import SetDefaultRoleOperator
from sparkify.cluster.switch_cluster import SwitchClusterOperator
from sparkify.loading.exceptions import SettingsError
from tests.completed_moto import Cloud
from tests.plugins.cluster.test_deploy_stack import CLIENTS, STACK, deploy

pytestmark = pytest.mark.deployment

CONTEXT: Any = {}


@pytest.fixture
def cluster(cloud: Cloud) -> Cloud:
    """A cluster that is available."""
    deploy(**CLIENTS)
    return cloud


def switch(status: str) -> str:
    """Pause or resume; the cluster's identifier."""
    return SwitchClusterOperator(task_id="switch", stack=STACK, status=status).execute(CONTEXT)


def reached(identifier: str, status: str) -> bool:
    """One look at it."""
    return ClusterSensor(task_id="wait", cluster=identifier, status=status).poke(CONTEXT)


@pytest.mark.parametrize("statuses", [("paused",), ("paused", "available")], ids=["pause", "resume"])
def test_a_cluster_is_switched_and_waited_for_and_a_second_time_left_alone(
    cluster: Cloud, statuses: tuple[str, ...]
) -> None:
    cluster.looks = 2
    for status in statuses:
        identifier = switch(status)
        assert switch(status) == identifier
        assert [reached(identifier, status) for _ in range(2)] == [False, True]
        assert switch(status) == identifier
    assert cluster.cluster()["ClusterStatus"] == statuses[-1]


def status_is(monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    """Let the cluster have a status that moto knows not."""
    monkeypatch.setattr("sparkify.cluster.cluster.Cluster.status", lambda _: status)


@pytest.mark.parametrize("status", ["maintenance", "storage-full"])
def test_a_cluster_that_cannot_be_switched_now_says_so(
    cluster: Cloud, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    status_is(monkeypatch, status)
    with pytest.raises(SettingsError, match=f"is {status}, and can be made paused only while it is available"):
        switch("paused")


def test_a_wait_for_a_broken_cluster_ends(cluster: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    status_is(monkeypatch, "hardware-failure")
    with pytest.raises(SettingsError, match="is hardware-failure and will not be available"):
        reached(cluster.cluster()["ClusterIdentifier"], "available")


def test_a_cluster_that_somebody_deleted_by_itself_is_noticed(cluster: Cloud) -> None:
    identifier = cluster.cluster()["ClusterIdentifier"]
    cluster.client("redshift").delete_cluster(ClusterIdentifier=identifier, SkipFinalClusterSnapshot=True)
    with pytest.raises(SettingsError, match=f"There is no cluster {identifier} .* somebody deleted it by itself"):
        switch("paused")


def test_the_copy_role_becomes_the_default_once(cluster: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    operator = SetDefaultRoleOperator(task_id="role", stack=STACK)
    identifier = operator.execute(CONTEXT)
    found = cluster.cluster()
    assert found["DefaultIamRoleArn"] == found["IamRoles"][0]["IamRoleArn"]
    assert f"role/{STACK}-CopyRole" in found["DefaultIamRoleArn"]
    monkeypatch.setattr("tests.completed_moto.RedshiftResponse.modify_cluster_iam_roles", None)
    assert operator.execute(CONTEXT) == identifier


def test_a_cluster_is_not_ready_before_it_can_use_its_role(cluster: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    identifier = cluster.cluster()["ClusterIdentifier"]
    adding = [{"IamRoleArn": "arn:aws:iam::123456789012:role/copy", "ApplyStatus": "adding"}]
    monkeypatch.setattr("moto.redshift.models.Cluster.iam_roles", property(lambda _: adding))
    assert not reached(identifier, "available")
    adding[0]["ApplyStatus"] = "in-sync"
    assert reached(identifier, "available")
