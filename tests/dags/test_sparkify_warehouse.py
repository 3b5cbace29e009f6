"""The warehouse's DAG: its picture and params, and its story from provision to teardown.

docs/warehouse.md holds what the runs said; a test compares it, or writes it if WRITE_TRANSCRIPT is set.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
import pytest
from airflow.sdk.exceptions import ParamValidationError

from local.stack.databases import WAREHOUSE, admin_dsn
from sparkify.cluster.create_loading_user import password_digest
from tests.airflow_process import AirflowProcess, DagRun, running_airflow
from tests.completed_moto import Cloud, running_cloud
from tests.examples import AT, event, play, song
from tests.pipeline import PROJECT, Pipeline, load_dag

pytestmark = pytest.mark.deployment

DAG = load_dag("sparkify_warehouse")
STACK = "sparkify-warehouse"
SECRET = "airflow/connections/redshift_default"
NOV_1 = date(2018, 11, 1)
PAGE = PROJECT / "docs" / "warehouse.md"
BEGIN = "<!-- Written by: WRITE_TRANSCRIPT=1 pytest tests/dags/test_sparkify_warehouse.py -->"
END = "<!-- End of what was written -->"
# What another table or check would change on the page, and is not its business.
SHORTENED = {
    r"has all \d+ tables; created now: \w+,.*": "has all its tables; created now: all.",
    r"has all \d+ tables": "has all its tables",
    r"(\d+) of \1 checks passed": "all checks passed",
}
CHAINS = {
    "provision": [
        "deploy_stack",
        "stack_is_deployed",
        "set_default_role",
        "cluster_is_ready",
        "tables",
        "views",
        "loading_user",
        "copy_works",
    ],
    "pause": ["pause_cluster", "cluster_is_paused"],
    "resume": ["resume_cluster", "cluster_is_available"],
    "teardown": ["delete_stack", "stack_is_deleted", "withdraw_connection"],
}


def test_each_action_is_a_chain_and_a_group_of_its_own() -> None:
    picture = {"choose": {chain[0] for chain in CHAINS.values()}}
    for chain in CHAINS.values():
        picture |= {task: {after} for task, after in itertools.pairwise(chain)} | {chain[-1]: set()}
    assert {task.task_id: set(task.downstream_task_ids) for task in DAG.tasks} == picture
    assert {name: list(group.children) for name, group in DAG.task_group_dict.items()} == CHAINS


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("action", "destroy"),
        ("stack", "1st"),
        ("stack", ""),
        ("parameters", "ClientCidr"),
        ("secret", ""),
        ("secret", "arn:aws:secretsmanager"),
        ("connection_extra", {"host": "evil.example"}),
    ],
)
def test_the_form_refuses_what_cannot_be_meant(name: str, wrong: object) -> None:
    with pytest.raises(ParamValidationError):
        DAG.params.get_param(name).resolve(wrong)


def test_a_wait_holds_no_worker() -> None:
    waits = [task for task in DAG.tasks if hasattr(task, "poke_interval")]
    assert [task.task_id for task in waits] == [
        "stack_is_deployed",
        "cluster_is_ready",
        "cluster_is_paused",
        "cluster_is_available",
        "stack_is_deleted",
    ]
    for task in waits:
        assert task.mode == "reschedule"


@dataclass(frozen=True)
class Chapter:
    """A run, what it was given, and what was found of AWS after it."""

    dag_id: str
    conf: dict[str, Any]
    run: DagRun
    clusters: list[dict[str, Any]]
    secrets: dict[str, str]
    snapshots: list[str]


@dataclass(frozen=True)
class Story:
    """What was run, in this order, by name.

    :param made_up: the names that differ each time, and what they are called on the page.
    :param kept: all that Airflow kept: its log and its database.
    :param password: the administrator's.
    """

    chapters: dict[str, Chapter]
    pipeline: Pipeline
    password: str
    made_up: dict[str, str]
    kept: bytes


class _Teller:
    """Runs DAGs and looks at AWS after each."""

    def __init__(self, airflow: AirflowProcess, cloud: Cloud) -> None:
        self.airflow, self.cloud = airflow, cloud
        self.chapters: dict[str, Chapter] = {}

    def tell(self, name: str, dag_id: str = "sparkify_warehouse", **conf: Any) -> None:
        """Run a DAG with these params."""
        run = self.airflow.run(dag_id, conf)
        redshift, secrets = self.cloud.client("redshift"), self.cloud.client("secretsmanager")
        listed = [secret["Name"] for secret in secrets.list_secrets()["SecretList"]]
        self.chapters[name] = Chapter(
            dag_id,
            conf,
            run,
            redshift.describe_clusters()["Clusters"],
            {name: secrets.get_secret_value(SecretId=name)["SecretString"] for name in listed},
            [snapshot["ClusterIdentifier"] for snapshot in redshift.describe_cluster_snapshots()["Snapshots"]],
        )


@pytest.fixture(scope="module")
def story(stack: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Provisioned, provisioned again, loaded, paused, resumed and torn down; each by Airflow.

    S3 is that of the tests' stack, from which the stand-in copies; the cluster's endpoint is the stand-in. The one way
    for Airflow to find it is the published connection.
    """
    warehouse = stack.redshift
    home = tmp_path_factory.mktemp("airflow")
    with (
        pytest.MonkeyPatch.context() as patch,
        running_cloud(warehouse["host"], warehouse["port"], warehouse["password"]) as cloud,
    ):
        pipeline = Pipeline(stack, patch.setenv)
        pipeline.put_events(NOV_1, [play(), event(ts=AT + 1), play(ts=AT + 2, itemInSession=1)])
        pipeline.put({"song_data/A/A/A/TRA.json": json.dumps(song("SO1")).encode()})
        with running_airflow(home, _environment(cloud, pipeline)) as airflow:
            teller = _Teller(airflow, cloud)
            extra = {"ssl": warehouse["ssl"]}
            user = f"loader_{uuid.uuid4().hex[:8]}"
            names = {"AdminUser": warehouse["user"], "DatabaseName": warehouse["database"], "LoadingUser": user}
            parameters = {"ClientCidr": "10.0.0.0/16", **names}
            teller.tell("provision", action="provision", parameters=parameters, connection_extra=extra)
            teller.tell("provision again", action="provision", connection_extra=extra)
            teller.tell("load", "sparkify_daily", log_date=str(NOV_1))
            teller.tell("pause", action="pause")
            teller.tell("pause again", action="pause")
            teller.tell("resume", action="resume")
            teller.tell("teardown refused", action="teardown", confirm="yes")
            teller.tell("teardown", action="teardown", confirm=STACK)
            teller.tell("teardown again", action="teardown", confirm=STACK)
        (cluster,) = teller.chapters["provision"].clusters
        made_up = {
            cluster["ClusterIdentifier"]: f"{STACK}-warehouse-1a2b3c4d5e6f",
            cluster["DefaultIamRoleArn"]: f"arn:aws:iam::123456789012:role/{STACK}-CopyRole-1A2B3C4D5E6F",
            f"{warehouse['host']}, port {warehouse['port']}": "its endpoint, port 5439",
            user: "sparkify_airflow",
            str(teller.cloud.prefix_list()): "pl-68a54001",
            pipeline.bucket: "my-bucket",
            pipeline.control_bucket: "my-control-bucket",
            pipeline.schema: "public",
        }
        kept = b"".join(file.read_bytes() for file in (airflow.log, home / "airflow.db"))
        yield Story(teller.chapters, pipeline, warehouse["password"], made_up, kept)
        pipeline.drop()
        with psycopg.connect(admin_dsn(stack.home, WAREHOUSE), autocommit=True) as administrator:
            administrator.execute(f"drop owned by {user}")
            administrator.execute(f"drop role {user}")


def _environment(cloud: Cloud, pipeline: Pipeline) -> dict[str, str]:
    aws = pipeline.aws
    backend = {
        "connections_prefix": "airflow/connections",
        "connections_lookup_pattern": "^redshift_",
        "variables_prefix": None,
        "config_prefix": None,
        "endpoint_url": cloud.url,
        "region_name": aws["extra"]["region_name"],
    }
    return {
        "AIRFLOW_CONN_AWS_DEFAULT": json.dumps(aws),
        "AIRFLOW_CONN_AWS_ADMIN": json.dumps(cloud.admin_connection(aws)),
        "AIRFLOW__SECRETS__BACKEND": "airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend",
        "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps(backend),
        "AWS_ACCESS_KEY_ID": aws["login"],
        "AWS_SECRET_ACCESS_KEY": aws["password"],
    }


def test_the_story_ends_well_but_for_the_teardown_that_nobody_confirmed(story: Story) -> None:
    ended = {name: chapter.run.state for name, chapter in story.chapters.items()}
    assert ended == dict.fromkeys(story.chapters, "success") | {"teardown refused": "failed"}


@pytest.mark.parametrize(
    ("name", "action"),
    [(name, name) for name in CHAINS] + [("provision again", "provision"), ("teardown again", "teardown")],
)
def test_an_action_runs_its_own_chain_alone(story: Story, name: str, action: str) -> None:
    assert story.chapters[name].run.ended_as("success") == sorted(["choose", *CHAINS[action]])


def test_the_cluster_is_what_the_template_says_and_copies_by_the_role(story: Story) -> None:
    (cluster,) = story.chapters["provision"].clusters
    assert cluster["NodeType"] == "ra3.large"
    assert cluster["Encrypted"]
    assert cluster["EnhancedVpcRouting"]
    assert not cluster["PubliclyAccessible"]
    assert cluster["DefaultIamRoleArn"] == cluster["IamRoles"][0]["IamRoleArn"]


def test_the_waits_look_again_until_it_is_so(story: Story) -> None:
    (cluster,) = story.chapters["provision"].clusters
    identifier = cluster["ClusterIdentifier"]
    for chapter, task, looks in (
        (
            "provision",
            "stack_is_deployed",
            [f"The stack {STACK} is CREATE_{end}." for end in ("IN_PROGRESS", "COMPLETE")],
        ),
        ("pause", "cluster_is_paused", [f"The cluster {identifier} is {so}." for so in ("pausing", "paused")]),
        ("resume", "cluster_is_available", [f"The cluster {identifier} is {so}." for so in ("resuming", "available")]),
    ):
        assert story.chapters[chapter].run.said(task).splitlines() == looks


def test_the_published_connection_is_the_loading_users_and_the_loads_use_it(story: Story) -> None:
    published = json.loads(story.chapters["provision"].secrets[SECRET])
    assert published.pop("password") != story.password
    warehouse = story.pipeline.stack.redshift
    assert published == {
        "conn_type": "redshift",
        "host": warehouse["host"],
        "port": warehouse["port"],
        "schema": warehouse["database"],
        "login": story.chapters["provision"].conf["parameters"]["LoadingUser"],
        "extra": {"ssl": warehouse["ssl"]},
    }
    assert story.pipeline.rows("select count(*) from songplays") == [(2,)]
    assert story.pipeline.rows("select count(*) from songplays_wide") == [(2,)]


def test_provisioning_again_changes_nothing_but_the_version_of_the_secret(story: Story) -> None:
    run = story.chapters["provision again"].run
    assert "there is nothing to change" in run.said("deploy_stack")
    assert "was already" in run.said("set_default_role")
    assert "Wrote a new version of the secret" in run.said("loading_user")
    assert story.chapters["provision again"].secrets[SECRET] == story.chapters["provision"].secrets[SECRET]
    assert "created now: none" in run.said("tables")
    assert story.chapters["provision again"].clusters == story.chapters["provision"].clusters


def test_the_smoke_test_leaves_nothing_in_s3(story: Story) -> None:
    assert "Copied 3 rows" in story.chapters["provision"].run.said("copy_works")
    found = story.pipeline.s3.list_objects_v2(Bucket=story.pipeline.control_bucket)["Contents"]
    assert found
    assert [item["Key"] for item in found if "smoke-test" in item["Key"]] == []


def test_a_paused_cluster_is_paused_once(story: Story) -> None:
    assert [cluster["ClusterStatus"] for cluster in story.chapters["pause"].clusters] == ["paused"]
    assert "is paused already" in story.chapters["pause again"].run.said("pause_cluster")
    assert [cluster["ClusterStatus"] for cluster in story.chapters["resume"].clusters] == ["available"]


def test_a_teardown_that_nobody_confirmed_deletes_nothing(story: Story) -> None:
    chapter = story.chapters["teardown refused"]
    assert chapter.run.ended_as("failed") == ["delete_stack"]
    assert "confirm='yes' is not the stack's name" in chapter.run.said("delete_stack")
    assert chapter.clusters
    assert SECRET in chapter.secrets


def test_a_teardown_leaves_a_snapshot_alone_and_can_be_repeated(story: Story) -> None:
    identifier = story.chapters["provision"].clusters[0]["ClusterIdentifier"]
    for name in ("teardown", "teardown again"):
        chapter = story.chapters[name]
        assert (chapter.clusters, chapter.secrets, chapter.snapshots) == ([], {}, [identifier])


def test_no_password_is_in_a_log_or_in_anything_that_airflow_keeps(story: Story) -> None:
    assert SECRET.encode() in story.kept
    published = json.loads(story.chapters["provision"].secrets[SECRET])
    for password in (story.password, published["password"], password_digest(published["login"], published["password"])):
        assert password.encode() not in story.kept
        assert all(password not in chapter.run.xcoms for chapter in story.chapters.values())


def test_the_page_is_what_the_runs_said(story: Story) -> None:
    shown = [name for name in story.chapters if not name.endswith("again")]
    written = "\n\n".join(_told(name, story.chapters[name], story.made_up) for name in shown)
    page = PAGE.read_text()
    before, after = page.partition(BEGIN)[0], page.partition(END)[2]
    new = f"{before}{BEGIN}\n\n{written}\n\n{END}{after}"
    if os.environ.get("WRITE_TRANSCRIPT"):
        PAGE.write_text(new)
    assert PAGE.read_text() == new, (
        f"{PAGE.name} says otherwise. To rewrite it: WRITE_TRANSCRIPT=1 pytest tests/dags/test_sparkify_warehouse.py"
    )


def _told(name: str, chapter: Chapter, made_up: Mapping[str, str]) -> str:
    """A run as the page shows it; of the daily DAG, the last line of each task."""
    lines, trigger = chapter.run.lines, f"airflow dags trigger {chapter.dag_id} --conf '{json.dumps(chapter.conf)}'"
    if chapter.dag_id == "sparkify_daily":
        last = dict(lines)
        lines = [(task.task_id, last[task.task_id]) for task in load_dag("sparkify_daily").tasks]
    width = max(len(task) for task, _ in lines)
    said = "\n".join(f"{task:{width}}  {line}" for task, line in lines)
    said = f"{trigger}\n\n{said}"
    for found, called in made_up.items():
        said = said.replace(found, called)
    for pattern, short in SHORTENED.items():
        said = re.sub(pattern, short, said)
    return f"### {name.capitalize()}: {chapter.run.state}\n\n```\n{said}\n```"
