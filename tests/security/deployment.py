"""A deployment as docs/security.md describes it: the project without its laptop's parts, and nobody who may do more.

Airflow sees a copy of dags/, plugins/ and include/ alone. S3 asks IAM about every request that the home's own key did
not sign. The warehouse user owns nothing, in a schema that is not public. The stand-in, which is the cluster, reads S3
as the COPY role and as nobody else. Connections are kept where most deployments keep them, in Airflow's database; and
Airflow logs all it can.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import redshift_connector
import requests

from local.s3 import REGION
from local.stack.airflow_settings import NOTED
from local.stack.connections import AIRFLOW_USER, airflow_url, redshift_arguments, s3_client, s3_endpoint
from local.stack.home import Home
from local.stack.programs import RedshiftProgram
from tests.command_line import CommandLine
from tests.local.redshift.conftest import free_port
from tests.pipeline import PROJECT
from tests.security.documented import policies, statements
from tests.security.sts_door import StsDoor, sts_door

# The names in docs/security.md.
SOURCE, CONTROL, PREFIX, SCHEMA = "my-source", "my-control", "sparkify", "music"
LOADER, LOADER_PASSWORD = "sparkify_airflow", "Choose-1-long-one"
COPY_ROLE = "arn:aws:iam::123456789012:role/sparkify-copy"
AIRFLOW_ROLE = "arn:aws:iam::123456789012:role/sparkify-airflow"
PRODUCTION = ("dags", "plugins", "include")
BAD_DATE = "2018-12-01"
READY_SECONDS = 120.0


@dataclass(frozen=True)
class Identity:
    """What signs requests to AWS: a user's key, or a role's for some hours, with its session token."""

    key: str
    secret: str
    token: str | None = None

    @property
    def secrets(self) -> dict[str, str]:
        """What nobody else may know."""
        return {"secret access key": self.secret} | ({"session token": self.token} if self.token else {})


@dataclass
class Deployment:
    """The running deployment and everything that must not be seen in it."""

    cli: CommandLine
    project: Path
    user: Identity
    #: May take Airflow's role and nothing else.
    taker: Identity
    role: Identity
    cluster: Identity
    port: int
    sts: StsDoor
    said: list[str] = field(default_factory=list)
    mistyped: list[str] = field(default_factory=list)

    @property
    def home(self) -> Home:
        """Its home."""
        return Home(self.cli.home)

    def aws(self, identity: Identity, role_arn: str | None = None, **changed: Any) -> None:
        """Define the connection aws_default; with ``role_arn`` it takes that role."""
        sparkify = {
            "schema": SCHEMA, "copy_role": COPY_ROLE, "control_bucket": CONTROL, "control_prefix": PREFIX,
        }  # fmt: skip
        extra: dict[str, Any] = {
            "region_name": REGION,
            "endpoint_url": s3_endpoint(self.home),
            "service_config": {"s3": {"bucket_name": SOURCE}, "sparkify": sparkify | changed},
        }
        if identity.token:
            extra["aws_session_token"] = identity.token
        if role_arn:
            extra["role_arn"] = role_arn
            # Who takes a role asks AWS itself, unless told whom to ask.
            extra["service_config"]["sts"] = {"endpoint_url": self.sts.url}
        self._define("aws_default", "aws", login=identity.key, password=identity.secret, extra=json.dumps(extra))

    def warehouse(self, login: str, password: str, port: int | None = None) -> None:
        """Define the connection redshift_default."""
        extra = {"ssl": False, "application_name": "sparkify"}
        self._define(
            "redshift_default", "redshift", host="127.0.0.1", port=port or self.port, login=login, password=password,
            schema="dev", extra=json.dumps(extra),
        )  # fmt: skip

    def as_documented(self) -> None:
        """Define both connections as the page says."""
        self.aws(self.user)
        self.warehouse(LOADER, LOADER_PASSWORD)

    def run(self, *arguments: str, expect: int = 0) -> str:
        """Run a command of the stack; what it says is kept, and is on one line."""
        self.said.append(self.cli.run(*arguments, expect=expect))
        return " ".join(self.said[-1].split())

    def rows(self, sql: str, login: str | None = None, password: str | None = None) -> list[Any]:
        """What a statement gives, to the administrator or to another user; not by the stand-in that notes them."""
        arguments = redshift_arguments(self.home)
        if login:
            arguments |= {"user": login, "password": password}
        with redshift_connector.connect(**arguments) as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute(sql)
            return list(cursor.fetchall()) if cursor.description else []

    def statements(self) -> list[str]:
        """All that the cluster was asked."""
        return [json.loads(line) for line in _noted(self.home).read_text().splitlines()]

    def s3(self, identity: Identity) -> Any:
        """A client of S3 that signs as this identity."""
        return boto3.client(
            "s3", endpoint_url=s3_endpoint(self.home), region_name=REGION, aws_access_key_id=identity.key,
            aws_secret_access_key=identity.secret, aws_session_token=identity.token,
        )  # fmt: skip

    def rest(self, method: str, path: str, **arguments: Any) -> requests.Response:
        """Ask Airflow's REST API, signed in as its user."""
        return self.ask(method, f"/api/v2{path}", **arguments)

    def ask(self, method: str, path: str, **arguments: Any) -> requests.Response:
        """Ask Airflow's API server, signed in as its user."""
        url = airflow_url(self.home)
        with requests.Session() as session:
            session.trust_env = False
            credentials = {"username": AIRFLOW_USER, "password": self.home.secret("airflow_password")}
            token = session.post(f"{url}/auth/token", json=credentials, timeout=60).json()["access_token"]
            headers = {"Authorization": f"Bearer {token}"}
            return session.request(method, f"{url}{path}", headers=headers, timeout=60, **arguments)

    def taken_roles(self) -> list[Identity]:
        """The credentials of every role that anybody has taken."""
        return [self.role, self.cluster, *(Identity(*given) for given in self.sts.given)]

    def secrets(self) -> dict[str, str]:
        """All that must be seen nowhere, by what it is."""
        kept = json.loads((self.home.folder / "state.json").read_text())["secrets"]
        found = {f"the home's {name}": str(value) for name, value in kept.items() if name != "aws_access_key_id"}
        taken = [(f"taken role {number}", identity) for number, identity in enumerate(self.taken_roles())]
        for whose, identity in (("user", self.user), ("taker", self.taker), *taken):
            found |= {f"the {whose}'s {what}": secret for what, secret in identity.secrets.items()}
        found["the warehouse user's password"] = LOADER_PASSWORD
        return found | {f"mistyped secret {number}": secret for number, secret in enumerate(self.mistyped)}

    def _define(self, conn_id: str, conn_type: str, **fields: Any) -> None:
        body = {"connection_id": conn_id, "conn_type": conn_type, **fields}
        answer = self.rest("PATCH", f"/connections/{conn_id}", json=body)
        if answer.status_code == requests.codes.not_found:
            answer = self.rest("POST", "/connections", json=body)
        assert answer.ok, answer.text


@contextlib.contextmanager
def deployed(folder: Path, files: Mapping[str, bytes]) -> Iterator[Deployment]:
    """A running deployment with these files in its source bucket; nothing is loaded yet."""
    cli = CommandLine(folder / "home")
    project = folder / "project"
    for name in PRODUCTION:
        shutil.copytree(PROJECT / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
    home = Home(cli.home)
    home.create()
    home.set_mark("dags", str(project / "dags"))
    settings = {
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(project / "plugins"),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "DEBUG",
        "AIRFLOW_CONN_AWS_DEFAULT": None,
        "AIRFLOW_CONN_REDSHIFT_DEFAULT": None,
    }
    home.set_mark(NOTED, json.dumps(settings))
    try:
        cli.run("up")
        home = Home(cli.home)
        _fill(home, files)
        user, taker, role, cluster = _identities(home)
        with _cluster(home, cluster) as port, sts_door(s3_endpoint(home)) as sts:
            deployment = Deployment(cli, project, user, taker, role, cluster, port, sts)
            _open(deployment)
            yield deployment
    finally:
        cli.run("down", "--purge")


def _fill(home: Home, files: Mapping[str, bytes]) -> None:
    client = s3_client(home)
    for bucket in (SOURCE, CONTROL):
        client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    for key, data in files.items():
        client.put_object(Bucket=SOURCE, Key=key, Body=data)


def _identities(home: Home) -> tuple[Identity, Identity, Identity, Identity]:
    """A user of Airflow's with the policy of the page, one who may only take a role with that policy, that role and
    the COPY role.
    """
    root = boto3.Session(home.secret("aws_access_key_id"), home.secret("aws_secret_access_key"), region_name=REGION)
    iam: Any = root.client("iam", endpoint_url=s3_endpoint(home))
    sts: Any = root.client("sts", endpoint_url=s3_endpoint(home))
    (airflow,) = policies("Airflow's AWS user or role")
    takes, trust_in_taker = policies("A key that may only take that role")
    copy, trust_in_redshift = policies("The COPY role")

    def user(name: str, policy: Mapping[str, Any]) -> Identity:
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName=name, PolicyDocument=_unconditional(policy))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return Identity(key["AccessKeyId"], key["SecretAccessKey"])

    def role(arn: str, policy: Mapping[str, Any], trust: Mapping[str, Any]) -> Identity:
        name = arn.rpartition("/")[2]
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]
        assert made["Arn"] == arn
        iam.put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=_unconditional(policy))
        given = sts.assume_role(RoleArn=arn, RoleSessionName=name)["Credentials"]
        return Identity(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])

    return (
        user("another", airflow),
        user("airflow", takes),
        role(AIRFLOW_ROLE, airflow, trust_in_taker),
        role(COPY_ROLE, copy, trust_in_redshift),
    )


def _unconditional(policy: Mapping[str, Any]) -> str:
    """moto takes a condition on a permission for one that never holds."""
    kept = [{name: value for name, value in one.items() if name != "Condition"} for one in policy["Statement"]]
    return json.dumps({**policy, "Statement": kept})


def _noted(home: Home) -> Path:
    return home.logs / "cluster-statements.log"


@contextlib.contextmanager
def _cluster(home: Home, identity: Identity) -> Iterator[int]:
    """A stand-in that has no other right to S3 than the COPY role's, and notes every statement."""
    program, port = RedshiftProgram(), free_port()
    environment = os.environ | program.environment(home)
    environment |= {
        "AWS_ACCESS_KEY_ID": identity.key, "AWS_SECRET_ACCESS_KEY": identity.secret,
        "AWS_SESSION_TOKEN": str(identity.token),
    }  # fmt: skip
    command = [*program.command(home), "--port", str(port), "--statement-log", str(_noted(home))]
    with home.log("cluster").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    give_up = time.monotonic() + READY_SECONDS
    try:
        while "ready on" not in (said := home.log("cluster").read_text()):
            assert process.poll() is None, said
            assert time.monotonic() < give_up, f"The cluster is not ready: {said}"
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=20)


def _open(deployment: Deployment) -> None:
    """Make the tables as the administrator, then the user who may load and nothing else."""
    arguments = redshift_arguments(deployment.home)
    deployment.aws(deployment.user)
    deployment.warehouse(arguments["user"], arguments["password"])
    deployment.run("trigger", "--dag", "sparkify_schema", "--param", "reader_role=sparkify_reader")
    for statement in statements("Airflow's warehouse user"):
        deployment.rows(statement)
    deployment.as_documented()
