"""
### Sparkify, warehouse: the AWS resources

**What.** Makes the Redshift cluster with its network, security group and COPY role from
`include/cloudformation/warehouse.yaml`, the tables, and the user that loads, whose connection it publishes; pauses
the cluster, resumes it, deletes it. It uses the AWS connection `aws_admin`, which no other DAG needs. Which buckets
there are it reads from `aws_default`.

| action | what it does |
|---|---|
| `provision` | makes or changes the stack, tables and views, then the loading user with its connection; tries a COPY |
| `pause` | pauses the cluster: it answers nobody, and only its storage costs |
| `resume` | resumes it |
| `teardown` | deletes the stack, once `confirm` is the stack's name; Redshift takes a last snapshot, which stays |

Each can be repeated at will: what is as it should be stays so.

**When.** By hand; `provision` also after an upgrade of the package, since it creates the tables that are new and
grants them. It takes some ten minutes the first time; waiting holds no worker.

**Params**

| param | meaning |
|---|---|
| `action` | one of the four |
| `stack` | the stack's name; another name is another warehouse |
| `parameters` | for `provision`: parameters of the template, as a JSON object; what is not named stays |
| `secret` | the secret in Secrets Manager that holds the loading user's connection; its end is the connection's id |
| `connection_extra` | the extra of that connection: how the driver connects, not where or as whom |
| `confirm` | for `teardown`: the stack's name, typed |

The first `provision` must say who may connect, by `{"ClientCidr": "10.0.0.0/16"}` or `{"ClientSecurityGroup": "sg-…"}`.
With `VpcId` and `SubnetIds` the cluster lives in a network that is there, such as Airflow's own; otherwise it gets one.

**Before.** Airflow must look for connections in Secrets Manager, and `redshift_default` must be defined nowhere else:
`[secrets] backend = airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend`, `backend_kwargs =
{"connections_prefix": "airflow/connections", "connections_lookup_pattern": "^redshift_", "variables_prefix": null,
"config_prefix": null}`. The connection `aws_admin` names the region; its user or role has the rights that
docs/security.md lists under "The administrator's AWS user or role".

**When it fails.** The last line of the task's log says what was wrong and what to do; a stack that failed is explained
by the resources that failed and why. Then *clear* the failed task, or trigger again: every step can be repeated. A wait
that times out after two hours can be cleared too; it goes on waiting.
"""

from __future__ import annotations

import sparkify  # noqa: F401  # refuses another Airflow in a sentence, before a name is missing

# isort: split
from datetime import UTC, datetime
from typing import Any

from airflow.sdk import DAG, Param, TaskGroup, task

from sparkify.cluster.administrator_login import AdministratorLogin
from sparkify.cluster.cluster_sensor import ClusterSensor
from sparkify.cluster.connection import EXTRA_KEYS
from sparkify.cluster.copy_smoke_test import CopySmokeTestOperator
from sparkify.cluster.create_loading_user import CreateLoadingUserOperator
from sparkify.cluster.delete_stack import DeleteStackOperator
from sparkify.cluster.deploy_stack import DeployStackOperator
from sparkify.cluster.set_default_role import SetDefaultRoleOperator
from sparkify.cluster.stack_sensor import StackSensor
from sparkify.cluster.switch_cluster import SwitchClusterOperator
from sparkify.cluster.withdraw_connection import WithdrawConnectionOperator
from sparkify.layout import include_folder
from sparkify.loading import time_limits
from sparkify.loading.exceptions import SettingsError
from sparkify.loading.retries import RETRIES
from sparkify.operators.create_tables import CreateTablesOperator
from sparkify.operators.create_views import CreateViewsOperator
from sparkify.tables import schema_statements

INCLUDE = include_folder(__file__)
SQL = INCLUDE / "sql"
VIEWS = sorted((SQL / "schema" / "views").glob("*.sql"))
STACK = "{{ params.stack }}"
SECRET = "{{ params.secret }}"  # noqa: S105
ADMINISTRATOR = AdministratorLogin(stack_param="stack", extra_param="connection_extra")
FIRST_TASK = {
    "provision": "deploy_stack",
    "pause": "pause_cluster",
    "resume": "resume_cluster",
    "teardown": "delete_stack",
}
# Rescheduled, not deferred: deferring needs aiobotocore, which not every deployment has.
WAITING: dict[str, Any] = {"mode": "reschedule", "poke_interval": 30, "timeout": 7200}

with DAG(
    dag_id="sparkify_warehouse",
    description="Makes the Redshift cluster, pauses it, resumes it, deletes it",
    doc_md=__doc__,
    schedule=None,
    start_date=datetime(2018, 11, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["sparkify", "aws", "by hand"],
    template_searchpath=[str(SQL)],
    params={
        "action": Param(
            "provision",
            type="string",
            enum=list(FIRST_TASK),
            title="Action",
            description="What to do with the warehouse.",
        ),
        "stack": Param(
            "sparkify-warehouse",
            type="string",
            pattern="^[A-Za-z][A-Za-z0-9-]{0,127}$",
            title="Stack",
            description="The CloudFormation stack's name.",
        ),
        "parameters": Param(
            {},
            type="object",
            title="Parameters of the template",
            description='The first time who may connect, for example {"ClientCidr": "10.0.0.0/16"}; then what changes.',
        ),
        "secret": Param(
            "airflow/connections/redshift_default",
            type="string",
            pattern="^[A-Za-z0-9/_+=.@-]{1,512}$",
            title="Secret",
            description="Where in Secrets Manager the loading user's connection is published. Only a secret that this "
            "DAG made for this stack is written over.",
        ),
        "connection_extra": Param(
            {"sslmode": "verify-full"},
            type="object",
            propertyNames={"enum": list(EXTRA_KEYS)},
            title="Extra of the connection",
            description=f"How the driver connects, by no other keys than {', '.join(EXTRA_KEYS)}.",
        ),
        "confirm": Param(
            "",
            type="string",
            title="Confirm the teardown",
            description="Type the stack's name to lift its protection and delete it with all data but a last snapshot.",
        ),
    },
    default_args={
        "owner": "data-engineering",
        "execution_timeout": time_limits.AWS,
        **RETRIES,
    },
) as dag:

    @task.branch(  # type: ignore[untyped-decorator]
        task_id="choose", doc_md="Goes the way of the param `action`; the tasks of the others are skipped."
    )
    def choose(params: dict[str, Any]) -> str:
        """The first task of the action."""
        for action, first_task in FIRST_TASK.items():
            if params["action"] == action:
                return first_task
        raise SettingsError(f"action={params['action']!r} is unknown. Use one of {', '.join(FIRST_TASK)}.")

    with TaskGroup(
        "provision", prefix_group_id=False, tooltip="Creates or updates the warehouse, and tries it"
    ) as provision:
        deploy_stack = DeployStackOperator(
            task_id="deploy_stack",
            stack=STACK,
            template=str(INCLUDE / "cloudformation" / "warehouse.yaml"),
            parameters="{{ params.parameters | tojson }}",
            doc_md="Begins to create the stack or to update it, and protects it from deletion; nothing to change is a "
            "success. Fails if the stack is in a state that cannot be changed, and says what to do.",
        )
        stack_is_deployed = StackSensor(
            task_id="stack_is_deployed",
            stack=STACK,
            until="deployed",
            change="{{ ti.xcom_pull('deploy_stack') }}",
            doc_md="Waits for CloudFormation. Fails with the resources that failed, and why.",
            **WAITING,
        )
        set_default_role = SetDefaultRoleOperator(
            task_id="set_default_role",
            stack=STACK,
            doc_md="Makes the COPY role the cluster's default, which `copy_role` = `default` means.",
        )
        cluster_is_ready = ClusterSensor(
            task_id="cluster_is_ready",
            cluster="{{ ti.xcom_pull('set_default_role') }}",
            status="available",
            doc_md="Waits until the cluster answers and can use the role.",
            **WAITING,
        )
        tables = CreateTablesOperator(
            task_id="tables",
            execution_timeout=time_limits.LOAD,
            sql=[*sorted(str(file.relative_to(SQL)) for file in (SQL / "schema").glob("*.sql")), *schema_statements()],
            migrations=sorted(str(file.relative_to(SQL)) for file in (SQL / "migrations").glob("*.sql")),
            migrate=True,
            login=ADMINISTRATOR,
            doc_md="Creates the tables that are missing and migrates those of an earlier version, as the cluster's "
            "administrator.",
        )
        views = CreateViewsOperator(
            task_id="views",
            execution_timeout=time_limits.LOAD,
            sql=[str(view.relative_to(SQL)) for view in VIEWS],
            login=ADMINISTRATOR,
            doc_md="Creates the views for analysts, or replaces them, as the cluster's administrator.",
        )
        loading_user = CreateLoadingUserOperator(
            task_id="loading_user",
            execution_timeout=time_limits.LOAD,
            stack=STACK,
            secret=SECRET,
            extra="{{ params.connection_extra | tojson }}",
            login=ADMINISTRATOR,
            doc_md="Makes the user that loads, grants it the rows of all tables, and writes its connection into "
            "Secrets Manager: a new secret, or a new version of its own.",
        )
        copy_works = CopySmokeTestOperator(
            task_id="copy_works",
            execution_timeout=time_limits.LOAD,
            doc_md="Logs in as the loading user, copies one small object by the role into a temporary table, and "
            "leaves nothing.",
        )
        (
            deploy_stack
            >> stack_is_deployed
            >> set_default_role
            >> cluster_is_ready
            >> tables
            >> views
            >> loading_user
            >> copy_works
        )

    with TaskGroup("pause", prefix_group_id=False, tooltip="Only the storage costs") as pause:
        pause_cluster = SwitchClusterOperator(
            task_id="pause_cluster",
            stack=STACK,
            status="paused",
            doc_md="Begins to pause the cluster; a paused one is a success.",
        )
        cluster_is_paused = ClusterSensor(
            task_id="cluster_is_paused",
            cluster="{{ ti.xcom_pull('pause_cluster') }}",
            status="paused",
            doc_md="Waits until it is paused.",
            **WAITING,
        )
        pause_cluster >> cluster_is_paused

    with TaskGroup("resume", prefix_group_id=False, tooltip="A paused cluster answers again") as resume:
        resume_cluster = SwitchClusterOperator(
            task_id="resume_cluster",
            stack=STACK,
            status="available",
            doc_md="Begins to resume the cluster; an available one is a success.",
        )
        cluster_is_available = ClusterSensor(
            task_id="cluster_is_available",
            cluster="{{ ti.xcom_pull('resume_cluster') }}",
            status="available",
            doc_md="Waits until it is available.",
            **WAITING,
        )
        resume_cluster >> cluster_is_available

    with TaskGroup("teardown", prefix_group_id=False, tooltip="Deletes the stack, its name being typed") as teardown:
        delete_stack = DeleteStackOperator(
            task_id="delete_stack",
            stack=STACK,
            confirm="{{ params.confirm }}",
            doc_md="Lifts the stack's protection and begins to delete it, if its name was typed; fails otherwise.",
        )
        stack_is_deleted = StackSensor(
            task_id="stack_is_deleted",
            stack=STACK,
            until="deleted",
            doc_md="Waits until it is gone. Fails with the resources that could not be deleted, and why.",
            **WAITING,
        )
        withdraw_connection = WithdrawConnectionOperator(
            task_id="withdraw_connection",
            stack=STACK,
            secret=SECRET,
            doc_md="Deletes the published connection; one that was not published for this stack stays.",
        )
        delete_stack >> stack_is_deleted >> withdraw_connection

    choose() >> [provision, pause, resume, teardown]
