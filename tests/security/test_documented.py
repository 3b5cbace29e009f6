"""What docs/security.md tells people to set up, as far as no IAM at hand can be asked."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import cfnlint
import pytest

from sparkify.loading.log_dates import LogDates
from sparkify.loading.settings import Settings
from sparkify.loading.source import Source
from sparkify.tables import EVENT_FILES, SONG_FILES
from tests.examples import NOV_1
from tests.include.test_cloudformation import PARAMETERS, RESOURCES
from tests.pipeline import Pipeline
from tests.security.documented import policies

pytestmark = pytest.mark.security


def test_airflow_lists_nothing_that_the_conditions_do_not_admit(stack: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    Pipeline(stack, monkeypatch.setenv)
    source = Source("aws_default", Settings.of_connection("aws_default"))
    listed: list[str] = []
    source.client.meta.events.register(
        "before-parameter-build.s3.ListObjectsV2", lambda params, **_: listed.append(params["Prefix"])
    )
    source.dated_files(EVENT_FILES, LogDates(NOV_1, NOV_1))
    source.folders(SONG_FILES)
    for heading in ("Airflow's AWS user or role", "The COPY role"):
        allowed = policies(heading)[0]["Statement"][0]
        assert (allowed["Action"], allowed["Resource"]) == ("s3:ListBucket", "arn:aws:s3:::my-source")
        patterns = allowed["Condition"]["StringLike"]["s3:prefix"]
        assert [prefix for prefix in listed if not any(fnmatchcase(prefix, one) for one in patterns)] == []
    assert len(listed) == 2


@pytest.mark.parametrize("heading", ["Airflow's AWS user or role", "The COPY role"])
def test_no_policy_allows_an_action_or_a_resource_by_a_bare_star(heading: str) -> None:
    for policy in policies(heading):
        for statement in policy["Statement"]:
            named = [statement["Action"], statement.get("Resource", []), statement.get("Principal", [])]
            flat = [one for part in named for one in ([part] if isinstance(part, str) else part)]
            assert all(one not in ("*", "s3:*", "arn:aws:s3:::*") for one in flat)


@pytest.mark.parametrize("heading", ["Airflow's AWS user or role", "The COPY role"])
def test_files_travel_by_tls_alone(heading: str) -> None:
    for statement in policies(heading)[0]["Statement"]:
        assert statement["Condition"]["Bool"] == {"aws:SecureTransport": "true"}


def test_redshift_takes_the_copy_role_for_the_loading_user_alone() -> None:
    (trust,) = policies("The COPY role")[1]["Statement"]
    assert trust["Principal"] == {"Service": "redshift.amazonaws.com"}
    (user,) = trust["Condition"]["StringLike"].values()
    assert user == "arn:aws:redshift:us-west-2:123456789012:dbuser:*/sparkify_airflow"
    assert PARAMETERS["LoadingUser"]["Default"] == "sparkify_airflow"


def _needed() -> dict[str, set[str]]:
    """What AWS says that CloudFormation needs, by type of resource of the template."""
    types = {resource["Type"] for resource in RESOURCES.values()}
    needed = {}
    for path in (Path(cfnlint.__file__).parent / "data" / "schemas" / "resources").glob("*.json"):
        schema = json.loads(path.read_text())
        if schema.get("typeName") in types:
            steps = [
                schema["handlers"][step]
                for step in ("create", "read", "update", "delete")
                if step in schema["handlers"]
            ]
            needed[schema["typeName"]] = {action for step in steps for action in step["permissions"]}
    assert needed.keys() == types
    return needed


# What a type of resource needs for properties that the template does not use, or for a key of one's own.
NOT_USED = (
    "kms:*", "vpc-lattice:*", "vpce:*", "cloudwatch:PutMetricData", "initech:*", "iam:*RolePermissionsBoundary",
    "iam:AttachRolePolicy", "iam:DetachRolePolicy", "ec2:*VpnGateway", "ec2:CreateVpcEncryptionControl",
)  # fmt: skip


def test_the_administrator_may_make_and_delete_all_that_is_in_the_template() -> None:
    (policy,) = policies("The administrator's AWS user or role")
    allowed = [action for statement in policy["Statement"] for action in _several(statement["Action"])]
    missing = {
        kind: lacking
        for kind, actions in _needed().items()
        if (lacking := {one for one in actions if not any(fnmatchcase(one, known) for known in (*allowed, *NOT_USED))})
    }
    assert missing == {}


def test_the_administrators_policy_names_what_it_is_about() -> None:
    (policy,) = policies("The administrator's AWS user or role")
    anywhere = [one for one in policy["Statement"] if one["Resource"] == "*"]
    assert {action.partition(":")[0] for one in anywhere for action in _several(one["Action"])} == {
        "cloudformation",
        "ec2",
        "redshift",
    }
    for statement in anywhere:
        reads = all(re.match(r"\w+:(Describe|Get)", action) for action in _several(statement["Action"]))
        assert reads or statement["Condition"] == {"StringEquals": {"aws:RequestedRegion": "us-west-2"}}
    assert not [
        one for one in policy["Statement"] if "*" in _several(one["Action"]) or "iam:*" in _several(one["Action"])
    ]


def _several(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
