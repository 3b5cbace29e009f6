"""docker-compose.yaml and Dockerfile agree with the project: versions, files, options, ports, connections, commands."""

from __future__ import annotations

import itertools
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
import redshift_connector
from airflow.cli.cli_parser import get_parser
from airflow.configuration import conf

from deploy.environment import VARIABLES
from local.stack.binaries import binaries
from local.stack.databases import WAREHOUSE, WAREHOUSE_USER
from local.stack.postgres import ADMIN
from local.stack.programs import PROGRAMS
from sparkify.loading.settings import Settings
from tests.deploy.compose import MissingVariableError, read
from tests.pipeline import PROJECT, load_dag

pytestmark = pytest.mark.deployment

TEXT = (PROJECT / "docker-compose.yaml").read_text()
DOCKERFILE = (PROJECT / "Dockerfile").read_text()
AIRFLOW = {"api-server", "scheduler", "dag-processor", "triggerer", "worker", "init"}
# Options of the provider, which only the image has, without a default that Airflow itself would know.
CELERYS = {("celery", "result_backend")}
PROFILES: dict[str, set[str]] = {
    "": AIRFLOW | {"postgres", "valkey"},
    "local": AIRFLOW | {"postgres", "valkey", "warehouse", "s3", "redshift", "demo-files", "demo"},
}


def airflow_services(config: Any) -> Iterator[tuple[str, Any]]:
    for name, service in config["services"].items():
        if service["image"].startswith("sparkify-airflow:"):
            yield name, service


def airflow_commands(config: Any) -> Iterator[list[str]]:
    """Every command line of Airflow in the file: of services, their scripts and their health checks."""
    for name, service in airflow_services(config):
        command = service["command"]
        if command[0] == "bash":
            # Where the shell is to put a date or a password, any date will do.
            script = re.sub(r"\$\(.*?\)|\$\{\w+\}", "2018-11-01", command[-1].replace("\\\n", " "))
            lines = [line.rpartition(" | ")[2].strip() for line in script.splitlines()]
            yield from (shlex.split(line)[1:] for line in lines if line.startswith("airflow "))
        else:
            yield command
        check = service.get("healthcheck", {}).get("test", ["", ""])[1]
        if check.startswith("airflow "):
            yield shlex.split(check)[1:]
        assert command, name


@pytest.mark.parametrize(("profile", "services"), PROFILES.items())
def test_a_profile_starts_its_services(profile: str, services: set[str], variables: dict[str, str]) -> None:
    assert read(PROJECT, variables, profile)["services"].keys() == services


@pytest.mark.parametrize("name", VARIABLES)
def test_a_missing_secret_is_asked_for(name: str, variables: dict[str, str]) -> None:
    with pytest.raises(MissingVariableError, match=f"^{name} is missing: run make env$"):
        read(PROJECT, {given: value for given, value in variables.items() if given != name}, "local")


def test_make_env_makes_what_it_asks_for_and_no_more() -> None:
    assert set(re.findall(r"\$\{(\w+):\?run make env\}", TEXT)) == set(VARIABLES)
    assert set(re.findall(r"\$\{(\w+):\?", TEXT)) == set(VARIABLES)


def test_no_secret_stands_in_it() -> None:
    for line in TEXT.splitlines():
        if found := re.match(r"\s*(\w*(?:PASSWORD|SECRET|_KEY|_CONN|_URL|BACKEND)\w*): *(\S.*)", line):
            open_value = found[2] in ("local", "http://s3:4572", "http://api-server:8080/execution/")
            assert "${" in found[2] or open_value, line


def test_the_images_have_the_projects_airflow_and_a_python_it_knows(config: Any) -> None:
    airflow = version("apache-airflow")
    (image,) = re.findall(r"^FROM apache/airflow:([^\s@]+)\S* AS airflow$", DOCKERFILE, re.MULTILINE)
    assert image in {f"{airflow}-python{python}" for python in ("3.11", "3.12", "3.13")}
    built = {service["image"] for service in config["services"].values() if "build" in service}
    assert built == {f"sparkify-airflow:{airflow}", f"sparkify-local:{airflow}"}


def test_each_image_is_a_stage_of_the_dockerfile_whose_files_reach_the_build(config: Any) -> None:
    stages = set(re.findall(r"^FROM \S+ AS (\w+)$", DOCKERFILE, re.MULTILINE))
    assert {service["build"]["target"] for service in config["services"].values() if "build" in service} == stages
    let_through = set(re.findall(r"^!(\S+)$", (PROJECT / ".dockerignore").read_text(), re.MULTILINE))
    copied = {name for line in re.findall(r"^COPY \S+ (.+) \S+$", DOCKERFILE, re.MULTILINE) for name in line.split()}
    installed = re.findall(r"uv pip .*--require-hashes --only-binary :all: ([^\\\n]*)", DOCKERFILE, re.MULTILINE)
    assert set(re.findall(r"requirements[a-z-]*\.txt", " ".join(installed))) == copied
    assert len(installed) == DOCKERFILE.count("uv pip") == len(stages)
    assert copied == let_through
    assert all((PROJECT / name).is_file() for name in copied)


def test_the_image_adds_to_productions_lock_what_celery_and_the_log_in_need() -> None:
    lock = (PROJECT / "requirements-container.txt").read_text()
    added = dict(re.findall(r"^([a-z0-9._-]+)(?:\[.*\])?==(\S+)", lock, re.MULTILINE))
    assert {"apache-airflow-providers-celery", "apache-airflow-providers-fab", "redis"} <= added.keys()
    assert added["celery"].startswith("5.6.")


def test_postgresql_is_of_the_version_that_the_tests_run(config: Any) -> None:
    tested = subprocess.run([binaries() / "bin" / "postgres", "--version"], capture_output=True, text=True, check=True)
    (major,) = re.findall(r"PostgreSQL\) (\d+)", tested.stdout)
    images = {config["services"][name]["image"].partition("@")[0] for name in ("postgres", "warehouse")}
    assert images == {f"postgres:{major}"}


def test_the_page_names_the_images(config: Any) -> None:
    bases = re.findall(r"^FROM (apache/airflow:[^\s@]+)", DOCKERFILE, re.MULTILINE)
    pulled = {service["image"].partition("@")[0] for service in config["services"].values() if "build" not in service}
    for image in {*bases, *pulled}:
        assert f"`{image}`" in (PROJECT / "docs" / "deploy.md").read_text(), image


def test_what_is_mounted_exists_and_cannot_be_written(config: Any) -> None:
    for name, service in config["services"].items():
        for volume in service.get("volumes", ()):
            if volume["type"] == "bind":
                source = Path(volume["source"])
                assert source.exists(), f"{name} mounts {source}"
                folder = "/opt/airflow" if source.is_dir() else "/docker-entrypoint-initdb.d"
                assert volume["target"] == f"{folder}/{source.name}"
                assert volume["read_only"], f"{name} may write to {source}"
            else:
                assert volume["source"] in config["volumes"]
    for name, service in airflow_services(config):
        mounted = {Path(volume["target"]).name for volume in service["volumes"]}
        assert {"dags", "plugins", "include", "logs"} <= mounted, name


def test_every_setting_is_an_option_of_airflow(config: Any) -> None:
    names = {name for _, service in airflow_services(config) for name in service["environment"]}
    settings = [name for name in names if name.startswith("AIRFLOW__")]
    assert len(settings) > 10
    for name in settings:
        section, option = name.removeprefix("AIRFLOW__").lower().split("__")
        described = conf.configuration_description.get(section, {}).get("options", {})
        known = option in described or conf.has_option(section, option) or (section, option) in CELERYS
        assert known, f"Airflow knows no option {name}"


def test_only_the_machine_itself_reaches_the_ports_each_where_its_program_listens(config: Any) -> None:
    published = {
        name: port["target"]
        for name, service in config["services"].items()
        for port in service.get("ports", ())
        if port["host_ip"] == "127.0.0.1"
    }
    assert sum(len(service.get("ports", ())) for service in config["services"].values()) == len(published)
    assert published == {
        "api-server": conf.getint("api", "port"),
        "s3": PROGRAMS["s3"].preferred_port,
        "redshift": PROGRAMS["redshift"].preferred_port,
    }
    for name in ("s3", "redshift"):
        command = config["services"][name]["command"]
        assert command[command.index("--port") + 1] == str(published[name])
    assert conf.getint("scheduler", "scheduler_health_check_server_port") == 8974
    assert ":8974/health" in config["services"]["scheduler"]["healthcheck"]["test"][1]


def test_every_address_in_it_is_a_service_and_its_port(config: Any) -> None:
    found = set(
        re.findall(r"(?:@|//)([a-z][a-z0-9-]*):?(\d+)?(?=/|\")", TEXT.replace("https://airflow.apache.org", ""))
    )
    assert found >= {("api-server", "8080"), ("postgres", ""), ("valkey", "6379"), ("s3", "4572")}
    assert {name for name, _ in found} - {"localhost"} <= config["services"].keys()


def test_whoever_waits_for_a_healthy_service_waits_for_one_that_is_checked(config: Any) -> None:
    for name, service in config["services"].items():
        for needed, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in config["services"][needed], f"{name} waits for {needed}"
    unchecked = {name for name, service in config["services"].items() if "healthcheck" not in service}
    assert unchecked == {"init", "demo-files", "demo"}, "what runs for ever is checked"


def test_every_command_of_airflow_is_one(config: Any) -> None:
    # Of the log-in and of Celery's workers Airflow itself, which is installed here, knows nothing.
    commands = [command for command in airflow_commands(config) if command[0] not in ("users", "celery")]
    assert len(commands) >= 10
    for command in commands:
        get_parser().parse_args(command)


def test_the_connections_are_passed_to_those_that_use_them_alone(config: Any) -> None:
    used = {
        conn_id
        for dag in (PROJECT / "dags").glob("*.py")
        for task in load_dag(dag.stem).tasks
        for name, conn_id in vars(task).items()
        if name.endswith("_conn_id")
    }
    assert used == {"aws_default", "aws_admin", "redshift_default"}
    credentials = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AIRFLOW__SECRETS__BACKEND"}
    for name, service in airflow_services(config):
        passed = {variable for variable in service["environment"] if variable.startswith("AIRFLOW_CONN_")}
        is_given = name in ("worker", "api-server")
        assert passed == ({f"AIRFLOW_CONN_{conn_id.upper()}" for conn_id in used} if is_given else set()), name
        assert (credentials <= service["environment"].keys()) is is_given
        assert is_given or not credentials & service["environment"].keys(), name


def test_the_demo_is_refused_where_the_env_file_names_a_warehouse(variables: dict[str, str]) -> None:
    def is_deployed(**more: str) -> Any:
        return read(PROJECT, variables | more, "local")["services"]["demo"]["environment"]["IS_DEPLOYED"]

    assert is_deployed() == ""
    for name in ("AIRFLOW_CONN_AWS_DEFAULT", "AIRFLOW_CONN_REDSHIFT_DEFAULT", "AIRFLOW__SECRETS__BACKEND"):
        assert is_deployed(**{name: "a-secret"}) == "yes"


def test_a_container_has_no_more_than_it_needs(config: Any) -> None:
    for name, service in config["services"].items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "cap_add" not in service
        assert not service.get("privileged", False), name
        assert service["pids_limit"] <= 2048, name
        assert re.fullmatch(r"256m|[1-4]g", service["mem_limit"]), name
        # Without capabilities no entrypoint can change its user.
        assert service["user"] != "root", name
    written = {name for name, service in config["services"].items() if not service.get("read_only", False)}
    assert written == {name for name, _ in airflow_services(config)}


def test_what_replaces_aws_reaches_neither_airflows_database_nor_its_queue(config: Any) -> None:
    networks = {name: set(service["networks"]) for name, service in config["services"].items()}
    assert {name for name in networks if "control" in networks[name]} == AIRFLOW | {"postgres", "valkey", "demo"}
    replacing = {"warehouse", "s3", "redshift", "demo-files"}
    assert {name for name in networks if "local" in networks[name]} == replacing | {"worker", "api-server"}
    assert set.union(*networks.values()) == config["networks"].keys()


def test_no_secret_is_on_a_command_line(config: Any, variables: dict[str, str]) -> None:
    secrets = {name: value for name, value in variables.items() if name != "AIRFLOW_UID"}
    for name, service in config["services"].items():
        test = service.get("healthcheck", {}).get("test", [])
        words = [*service.get("entrypoint", []), *service.get("command", []), *test]
        assert not [secret for secret, value in secrets.items() if any(value in word for word in words)], name
        # A shell's own printf and its standard input are no command lines.
        for line in "\n".join(words).splitlines():
            if "PASSWORD}" in line:
                assert re.match(r"printf |requirepass ", line), f"{name}: {line}"


def test_the_local_connections_are_what_the_package_and_the_driver_take(
    config: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections = json.loads(config["configs"]["local-connections"]["content"])
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(connections["aws_default"]))
    settings = Settings.of_connection("aws_default")
    s3 = config["services"]["s3"]["command"]
    assert {settings.bucket, settings.control_bucket} == {
        following for option, following in itertools.pairwise(s3) if option == "--bucket"
    }
    stand_in = config["services"]["redshift"]
    assert connections["aws_default"]["extra"]["endpoint_url"] == stand_in["environment"]["AWS_ENDPOINT_URL"]
    redshift = connections["redshift_default"]
    assert redshift["extra"].keys() <= signature(redshift_connector.connect).parameters.keys()
    assert (redshift["host"], redshift["login"], redshift["schema"]) == ("redshift", WAREHOUSE_USER, WAREHOUSE)
    assert redshift["port"] == PROGRAMS["redshift"].preferred_port
    loading = config["services"]["warehouse"]["environment"]["LOADING_PASSWORD"]
    assert redshift["password"] == loading != stand_in["environment"]["PGPASSWORD"]


def test_the_stand_in_logs_in_to_the_warehouse_that_is_started(config: Any) -> None:
    command, warehouse = (config["services"][name] for name in ("redshift", "warehouse"))
    dsn = dict(pair.split("=") for pair in command["command"][-1].split())
    given = warehouse["environment"]
    assert dsn == {"host": "warehouse", "user": given["POSTGRES_USER"], "dbname": given["POSTGRES_DB"]}
    assert given["POSTGRES_USER"] == ADMIN
    assert command["environment"]["PGPASSWORD"] == given["POSTGRES_PASSWORD"]
    assert f"create role {WAREHOUSE_USER} login" in (PROJECT / "deploy" / "warehouse-user.sql").read_text()


def test_every_module_it_runs_has_the_options_it_is_given(config: Any) -> None:
    for name in ("s3", "redshift"):
        service = config["services"][name]
        assert service["entrypoint"] == ["python", "-m", f"local.{name}"]
        shown = subprocess.run(
            [sys.executable, "-m", f"local.{name}", "--help"], cwd=PROJECT, capture_output=True, text=True, check=True
        ).stdout
        for option in service["command"]:
            assert not option.startswith("--") or f"{option} " in shown, f"local.{name} has no option {option}"
