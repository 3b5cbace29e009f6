"""What docs/security.md tells people to set up, as far as no IAM at hand can be asked."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

import pytest

from sparkify.loading.log_dates import LogDates
from sparkify.loading.settings import Settings
from sparkify.loading.source import Source
from tests.examples import NOV_1
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
    source.log_files(LogDates(NOV_1, NOV_1))
    source.song_files()
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


def test_redshift_alone_may_take_the_copy_role() -> None:
    trust = policies("The COPY role")[1]
    assert [one["Principal"] for one in trust["Statement"]] == [{"Service": "redshift.amazonaws.com"}]
