"""The file of secrets: made once, private, and never changed."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from deploy.environment import VARIABLES, complete
from sparkify.loading.settings import Settings
from tests.pipeline import PROJECT

pytestmark = pytest.mark.deployment


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def _values(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^(\w+)=(.*)$", path.read_text(), re.MULTILINE))


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_every_variable_is_made_and_only_the_owner_may_read_it(path: Path) -> None:
    assert complete(path) == list(VARIABLES)
    assert _values(path).keys() == VARIABLES.keys()
    assert _mode(path) == 0o600


def test_secrets_are_long_different_and_need_no_quoting(path: Path) -> None:
    complete(path)
    values = [value for name, value in _values(path).items() if name != "AIRFLOW_UID"]
    assert len(set(values)) == len(values)
    assert all(re.fullmatch(r"[\w=-]{40,}", value) for value in values)
    assert len(base64.urlsafe_b64decode(_values(path)["AIRFLOW_FERNET_KEY"])) == 32


def test_two_files_have_no_secret_in_common(tmp_path: Path) -> None:
    complete(tmp_path / "one")
    complete(tmp_path / "other")
    assert not set(_values(tmp_path / "one").values()) & set(_values(tmp_path / "other").values()) - {
        _values(tmp_path / "one")["AIRFLOW_UID"]
    }


def test_a_second_time_nothing_changes(path: Path) -> None:
    complete(path)
    before = path.read_bytes()
    assert complete(path) == []
    assert path.read_bytes() == before


def test_what_is_missing_is_added_and_what_is_there_stays(path: Path) -> None:
    path.write_text("# mine\nPOSTGRES_PASSWORD=chosen\nexport VALKEY_PASSWORD=too")
    path.chmod(0o644)
    made = complete(path)
    assert set(VARIABLES) - set(made) == {"POSTGRES_PASSWORD", "VALKEY_PASSWORD"}
    assert path.read_text().startswith("# mine\nPOSTGRES_PASSWORD=chosen\nexport VALKEY_PASSWORD=too\nAIRFLOW_UID=")
    assert _mode(path) == 0o600


def test_containers_run_as_whoever_may_read_the_checkout(path: Path) -> None:
    complete(path)
    assert _values(path)["AIRFLOW_UID"] == str(os.getuid() or 50000)


def test_the_connections_it_proposes_are_what_the_package_and_the_driver_take(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete(path)
    proposed = {
        name: json.loads(value)
        for name, value in re.findall(r"^#(AIRFLOW_CONN_\w+)='(.*)'$", path.read_text(), re.MULTILINE)
    }
    assert proposed.keys() == {"AIRFLOW_CONN_AWS_DEFAULT", "AIRFLOW_CONN_REDSHIFT_DEFAULT", "AIRFLOW_CONN_AWS_ADMIN"}
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(proposed["AIRFLOW_CONN_AWS_DEFAULT"]))
    assert Settings.of_connection("aws_default").bucket == "my-bucket"
    assert proposed["AIRFLOW_CONN_REDSHIFT_DEFAULT"]["extra"] == {"sslmode": "verify-full"}


def test_git_ignores_it() -> None:
    ignored = (PROJECT / ".gitignore").read_text().splitlines()
    assert ".env" in ignored
    assert "dist/" in ignored


def test_it_is_made_before_anything_is_installed(tmp_path: Path) -> None:
    (tmp_path / "deploy").mkdir()
    for file in (PROJECT / "deploy").glob("*.py"):
        (tmp_path / "deploy" / file.name).write_bytes(file.read_bytes())
    done = subprocess.run(
        ["python3", "-I", "-S", "-c", "import runpy, sys; sys.path.insert(0, '.'); sys.argv[1:] = ['env'];"
         " runpy.run_module('deploy', run_name='__main__')"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Wrote AIRFLOW_UID, ")
    assert complete(tmp_path / ".env") == []
