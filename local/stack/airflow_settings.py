"""Airflow's settings in a home, as environment variables: what a deployment would have in `airflow.cfg`."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import psycopg

from local.errors import LocalStackError
from local.stack import environment
from local.stack.connections import AIRFLOW_USER, airflow_connections, airflow_url
from local.stack.databases import METADATA, admin_dsn, metadata_url
from local.stack.home import PROJECT, Home
from local.stack.ports import LOOPBACK

_MIGRATED = "airflow_migrated"
NOTED = "airflow_settings"
#: The mark of a home that names the Python of another Airflow, which runs as it is.
PYTHON = "airflow_python"
# The sample data end in 2018: a scheduled run for yesterday would find no file and stand there red. So the schedule has
# no next run here; backfills, which ask with `catchup`, runs by hand and by assets go on as ever. A paused DAG runs
# nothing at all, without [scheduler] use_job_schedule assets trigger nothing, and after a DAG's end_date a run that is
# made by hand has no tasks. A sensor looks every ten seconds at most: here that costs no pod, and somebody waits.
# docs/laptop.md describes it.
_LOCAL_SETTINGS = """\
import sys

from airflow.timetables.interval import CronDataIntervalTimetable

next_of_schedule = CronDataIntervalTimetable.next_dagrun_info


def next_dagrun_info(self, *, last_automated_data_interval, restriction):
    if not restriction.catchup:
        return None
    return next_of_schedule(
        self, last_automated_data_interval=last_automated_data_interval, restriction=restriction
    )


CronDataIntervalTimetable.next_dagrun_info = next_dagrun_info


def task_policy(task):
    if hasattr(task, "poke_interval"):
        task.poke_interval = min(task.poke_interval, 10)


if "scheduler" in sys.argv:
    import airflow.providers.amazon.aws.hooks.redshift_sql
    import airflow.providers.amazon.aws.hooks.s3
    import airflow.providers.amazon.aws.transfers.s3_to_redshift
    import airflow.providers.common.sql.operators.sql
    import airflow.providers.postgres.hooks.postgres
    import airflow.sdk.execution_time.task_runner
"""


def settings(home: Home) -> dict[str, str]:
    """Return the variables that every Airflow program of the home runs with."""
    url = airflow_url(home)
    chosen: dict[str, str | None] = {
        "AIRFLOW_HOME": str(home.airflow),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home.dags),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "8",
        "AIRFLOW__CORE__FERNET_KEY": home.fernet_key(),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{AIRFLOW_USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home.airflow / "passwords.json"),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        # The default asks the name service for the full name, which takes seconds on a laptop without network.
        "AIRFLOW__CORE__HOSTNAME_CALLABLE": "socket.gethostname",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata_url(home),
        "AIRFLOW__API__HOST": LOOPBACK,
        "AIRFLOW__API__PORT": str(home.port("api-server")),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__SECRET_KEY": home.secret("api_secret"),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__INSTANCE_NAME": "Sparkify (local)",
        "AIRFLOW__API_AUTH__JWT_SECRET": home.secret("jwt_secret", _long_secret),
        "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "15",
        # A file that changes is read at once; the others would be read again and again, which warms a laptop.
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "120",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.25",
        # On a busy machine five seconds, the default, are too few for the first task.
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
        # A task that has ended may only be noticed at its next heartbeat: by default after up to five seconds. The
        # second keeps to the default for how long the API server may be away, 15 seconds.
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "AIRFLOW__WORKERS__MAX_FAILED_HEARTBEATS": "15",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home.airflow / "logs"),
        "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": "False",
        # At each turn the scheduler says which DAGs wait for their run to end before the next: four times a second.
        "AIRFLOW__LOGGING__NAMESPACE_LEVELS": "airflow.models.dag=WARNING",
        **airflow_connections(home),
    }
    # A test may have noted others, null for none.
    noted: dict[str, str | None] = json.loads(home.mark(NOTED) or "{}")
    return {name: value for name, value in (chosen | noted).items() if value is not None}


def command(home: Home, *arguments: str) -> list[str]:
    """Return the command line of Airflow's own program."""
    return [home.mark(PYTHON) or sys.executable, "-m", "airflow", *arguments]


def write_password_file(home: Home) -> None:
    """Give the UI's user the password of the home."""
    path = home.airflow / "passwords.json"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump({AIRFLOW_USER: home.secret("airflow_password")}, file)


def write_local_settings(home: Home) -> None:
    """Keep the DAGs' timetables from making runs, let sensors look often, and the scheduler import what tasks need.

    Tasks are forks of the scheduler, and would each spend a second on it. Airflow imports a module of this name from
    its home when a program starts, and asks its policy about every DAG that it reads.
    """
    folder = home.airflow / "config"
    folder.mkdir(exist_ok=True)
    (folder / "airflow_local_settings.py").write_text(_LOCAL_SETTINGS)


def migrate(home: Home) -> None:
    """Bring the metadata database to the installed version of Airflow, unless it is there already."""
    from importlib.metadata import version

    with psycopg.connect(admin_dsn(home, METADATA)) as connection:
        identity = connection.execute("select system_identifier from pg_control_system()").fetchone()
        found = connection.execute("select to_regclass('alembic_version')").fetchone()
    mark = f"{version('apache-airflow')} on {identity[0] if identity else '?'}"
    if found and found[0] and home.mark(_MIGRATED) == mark:
        return
    folder = home.run / "migrate"
    folder.mkdir(exist_ok=True)
    log = home.log("migrate")
    with log.open("wb") as output:
        done = subprocess.run(
            command(home, "db", "migrate"),
            env=environment.of_programs(os.environ) | settings(home),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            check=False,
        )
    if done.returncode != 0:
        raise LocalStackError(
            f"Airflow could not prepare its metadata database. {log} ends:\n{log.read_text(errors='replace')[-2000:]}"
        )
    home.set_mark(_MIGRATED, mark)


def _long_secret() -> str:
    return os.urandom(48).hex()
