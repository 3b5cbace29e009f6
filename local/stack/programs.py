"""Declares the programs of a stack: how each starts, what it needs, and how to see that it works."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json
import os
import re
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from local.stack import airflow_settings, databases, environment
from local.stack.accounts import Account
from local.stack.connections import (
    CONTROL_BUCKET,
    SOURCE_BUCKET,
    airflow_url,
    aws_environment,
    redshift_arguments,
    s3_client,
)
from local.stack.home import PROJECT, Home

# What PostgreSQL and its clients say of a server that is starting, or has no room for a moment.
_NOT_YET = re.compile(
    r"(?i)refused|starting up|not (yet )?accepting|timeout|timed out|closed the connection|57P03|53300"
)
#: The mark of a home that says how its warehouse isolates transactions.
ISOLATION = "isolation"


@dataclass(frozen=True)
class Problem:
    """Why a program does not work; `passes` says whether time alone may help, as it does while a program starts."""

    said: str
    passes: bool = True


class Program(ABC):
    """One supervised program."""

    #: Its name, which is also the name of its port, log file and working directory.
    name: str
    #: The port it would like to listen on; None if it listens on none.
    preferred_port: int | None = None
    #: The programs that must work before it is started.
    needs: tuple[str, ...] = ()
    stop_signal = "TERM"
    stop_seconds = 20

    @abstractmethod
    def command(self, home: Home) -> list[str]:
        """Return its command line."""

    def environment(self, home: Home) -> dict[str, str]:
        """Return its environment variables besides the user's."""
        return {}

    def folder(self, home: Home) -> Path:
        """Return its working directory, which no other program has."""
        return home.run / self.name

    def account(self, home: Home) -> Account | None:
        """Return the account it runs as when that may not be ours."""
        return None

    def prepare(self, home: Home) -> None:
        """Do what must be done before it is started."""
        self.folder(home).mkdir(exist_ok=True)

    @abstractmethod
    def unhealthy(self, home: Home, started: float) -> Problem | None:
        """Return why it does not work yet, or None if it works; `started` is when it was started (epoch)."""

    def fingerprint(self, home: Home) -> str:
        """Return a digest that changes when it would be started differently."""
        what = [self.command(home), self.environment(home)]
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:16]


class PostgresProgram(Program):
    """The database under the stand-in and under Airflow."""

    name = "postgres"
    preferred_port = 5442
    stop_signal = "INT"
    stop_seconds = 60

    def command(self, home: Home) -> list[str]:
        return databases.own_server(home).command

    def folder(self, home: Home) -> Path:
        return databases.own_server(home).data

    def account(self, home: Home) -> Account | None:
        return databases.own_server(home).account

    def environment(self, home: Home) -> dict[str, str]:
        return {"LC_ALL": "C", "TZ": "UTC"}

    def prepare(self, home: Home) -> None:
        server = databases.own_server(home)
        if server.account.switch:
            home.let_through(server.account.gid)
        server.prepare()

    def unhealthy(self, home: Home, started: float) -> Problem | None:
        said = databases.unreachable(home)
        return None if said is None else Problem(said, passes=_NOT_YET.search(said) is not None)


class S3Program(Program):
    """S3 and the other AWS services."""

    name = "s3"
    preferred_port = 4572

    def command(self, home: Home) -> list[str]:
        return [
            sys.executable, "-m", "local.s3", "--port", str(home.port(self.name)), "--folder", str(home.s3),
            "--bucket", SOURCE_BUCKET, "--bucket", CONTROL_BUCKET,
        ]  # fmt: skip

    def environment(self, home: Home) -> dict[str, str]:
        return {"PYTHONPATH": str(PROJECT), "AWS_ACCESS_KEY_ID": home.secret("aws_access_key_id")}

    def unhealthy(self, home: Home, started: float) -> Problem | None:
        from botocore import exceptions as boto

        try:
            names = {bucket["Name"] for bucket in s3_client(home).list_buckets()["Buckets"]}
        except (boto.HTTPClientError, boto.ConnectionError) as error:
            return Problem(str(error))
        except (boto.BotoCoreError, boto.ClientError) as error:
            return Problem(str(error), passes=False)
        missing = {SOURCE_BUCKET, CONTROL_BUCKET} - names
        return Problem(f"bucket {missing.pop()} is missing", passes=False) if missing else None


class RedshiftProgram(Program):
    """The Redshift stand-in."""

    name = "redshift"
    preferred_port = 5439
    needs = ("postgres", "s3")

    def command(self, home: Home) -> list[str]:
        # Everybody on the machine may read command lines: the password comes by the environment.
        dsn, _ = _without_password(databases.admin_dsn(home, databases.WAREHOUSE))
        return [
            sys.executable, "-m", "local.redshift", "--port", str(home.port(self.name)), "--dsn", dsn,
            "--isolation", home.mark(ISOLATION) or "snapshot",
        ]  # fmt: skip

    def environment(self, home: Home) -> dict[str, str]:
        _, password = _without_password(databases.admin_dsn(home, databases.WAREHOUSE))
        return {"PYTHONPATH": str(PROJECT), "PGPASSWORD": password, **aws_environment(home)}

    def unhealthy(self, home: Home, started: float) -> Problem | None:
        import redshift_connector

        try:
            with contextlib.closing(redshift_connector.connect(**redshift_arguments(home), timeout=10)) as connection:
                cursor = connection.cursor()
                cursor.execute("select 1")
                cursor.fetchone()
        except (redshift_connector.InterfaceError, redshift_connector.OperationalError, OSError) as error:
            return Problem(str(error))
        except redshift_connector.Error as error:
            return Problem(str(error), passes=_NOT_YET.search(str(error)) is not None)
        return None


class AirflowProgram(Program):
    """One of Airflow's own programs."""

    needs = ("postgres",)

    def __init__(self, name: str, arguments: Sequence[str], health: str | None, port: int | None = None) -> None:
        self.name = name
        self.preferred_port = port
        # The server of the API has answered all in a moment, and then lingers for ten seconds.
        self.stop_seconds = 3 if port else Program.stop_seconds
        self._arguments = tuple(arguments)
        self._health = health

    def command(self, home: Home) -> list[str]:
        return airflow_settings.command(home, *self._arguments)

    def environment(self, home: Home) -> dict[str, str]:
        return airflow_settings.settings(home)

    def unhealthy(self, home: Home, started: float) -> Problem | None:
        try:
            response = requests.get(f"{airflow_url(home)}/api/v2/monitor/health", timeout=10)
            response.raise_for_status()
            health: dict[str, Any] = response.json()
        except requests.HTTPError as error:
            return Problem(str(error), passes=False)
        except requests.RequestException as error:
            return Problem(str(error))
        part = health.get(self._health or "metadatabase") or {}
        if part.get("status") != "healthy":
            return Problem(f"Airflow says it is {part.get('status') or 'not there'}")
        beat = part.get(f"latest_{self._health}_heartbeat")
        # The heart-beat of the program's predecessor looks healthy for half a minute after its death.
        if beat and datetime.datetime.fromisoformat(beat).timestamp() < started:
            return Problem("no heart-beat since it was started")
        return None


def _without_password(dsn: str) -> tuple[str, str]:
    parts = conninfo_to_dict(dsn)
    password = str(parts.pop("password", "") or "")
    return make_conninfo("", **parts), password


PROGRAMS: dict[str, Program] = {
    program.name: program
    for program in (
        PostgresProgram(),
        S3Program(),
        RedshiftProgram(),
        AirflowProgram("api-server", ["api-server"], None, port=8080),
        # Logs are read from the folder they are written to: no program need serve them, on every interface.
        AirflowProgram("scheduler", ["scheduler", "--skip-serve-logs"], "scheduler"),
        AirflowProgram("dag-processor", ["dag-processor"], "dag_processor"),
        AirflowProgram("triggerer", ["triggerer", "--skip-serve-logs"], "triggerer"),
    )
}
AIRFLOW = tuple(name for name, program in PROGRAMS.items() if isinstance(program, AirflowProgram))


def launch(name: str) -> None:
    """Become a program of the home that `$SPARKIFY_HOME` names."""
    home = Home.find()
    program = PROGRAMS[name]
    variables = environment.of_programs(os.environ) | program.environment(home)
    command = program.command(home)
    folder = program.folder(home)
    account = program.account(home)
    if account is not None:
        account.become()
    os.chdir(folder)
    os.execve(command[0], command, variables)  # noqa: S606  # a list, no shell
