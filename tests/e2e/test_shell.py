"""The whole stack, brought up and used from a shell that is set up for something else altogether."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local.reference import COLUMNS
from tests.command_line import CommandLine
from tests.examples import NOV_1, play

pytestmark = pytest.mark.stack

PROXY = "http://127.0.0.1:9"
EVIL = 'raise RuntimeError("a module of another project was imported")\n'
SHELL = {
    "PGHOST": "10.255.255.1", "PGSSLMODE": "require", "PGCHANNELBINDING": "require", "PGREQUIREAUTH": "none",
    "PGSERVICE": "x", "PGOPTIONS": "-c no_such_parameter=1", "PGTZ": "Asia/Shanghai", "PGDATESTYLE": "German",
    "AWS_PROFILE": "no-such-profile", "AWS_ENDPOINT_URL": PROXY, "AWS_CA_BUNDLE": "/no/such.pem",
    "HTTP_PROXY": PROXY, "HTTPS_PROXY": PROXY, "ALL_PROXY": PROXY, "http_proxy": PROXY, "https_proxy": PROXY,
    "PYTHONPATH": "{evil}", "PYTHONWARNINGS": "error", "PYTHONOPTIMIZE": "2", "PYTHONSTARTUP": "{evil}/rich.py",
    "LC_ALL": "xx_XX.bogus", "LANG": "tr_TR.UTF-8", "TZ": "America/New_York",
    "SSL_CERT_FILE": "/no/such.pem", "SSL_CERT_DIR": "/no", "REQUESTS_CA_BUNDLE": "/no/such.pem",
    "CURL_CA_BUNDLE": "/no/such.pem", "OPENSSL_CONF": "/no/such.cnf",
    "AIRFLOW_HOME": "/no", "AIRFLOW__CORE__EXECUTOR": "NoSuchExecutor", "AIRFLOW_CONN_AWS_DEFAULT": "{broken",
    "AIRFLOW__CORE__DEFAULT_TIMEZONE": "Asia/Shanghai", "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "sqlite:////no/such.db",
    "_AIRFLOW_PROCESS_CONTEXT": "server", "WEB_CONCURRENCY": "7", "KUBERNETES_SERVICE_HOST": "10.255.255.1",
    "SUPERVISOR_SERVER_URL": PROXY, "MOTO_S3_CUSTOM_ENDPOINTS": PROXY,
}  # fmt: skip


def test_no_variable_of_the_shell_changes_how_the_parts_reach_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("rich", "psycopg", "boto3", "supervisor", "airflow", "sqlglot"):
        (tmp_path / "evil").mkdir(exist_ok=True)
        (tmp_path / "evil" / f"{module}.py").write_text(EVIL)
    file = tmp_path / "in" / f"log_data/{NOV_1:%Y/%m}/{NOV_1}-events.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(play()) + "\n")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name, value in SHELL.items():
        monkeypatch.setenv(name, value.replace("{evil}", str(tmp_path / "evil")))
    shell = CommandLine(tmp_path / "home")
    try:
        shell.run("up", "--data", str(tmp_path / "in"))
        assert "Not everything works" not in shell.run("status")
        shell.run("trigger", str(NOV_1))
        shell.run("backfill", str(NOV_1), str(NOV_1))
        assert shell.value("select count(*) from songplays") == 1
        assert f"All {len(COLUMNS)} tables are equal" in shell.run("verify", str(tmp_path / "in"))
    finally:
        shell.run("down", "--purge")
