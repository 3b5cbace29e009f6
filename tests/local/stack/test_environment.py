"""No variable of the user's shell reaches a program of the stack, or a command that speaks to one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from local import cli
from local.stack import environment
from local.stack.connections import s3_client
from local.stack.home import Home
from local.stack.stack import Stack
from tests.conftest import RunningStack

PROXY = "http://127.0.0.1:9"
# As people have them for clusters, accounts and proxies of theirs.
SHELLS = {
    "PGSSLMODE": {"PGSSLMODE": "require"},
    "PGSSLMODE verify-full": {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": "/no/such.pem"},
    "PGCHANNELBINDING": {"PGCHANNELBINDING": "require"},
    "PGREQUIREAUTH": {"PGREQUIREAUTH": "none"},
    "PGSERVICE": {"PGSERVICE": "x"},
    "PGOPTIONS": {"PGOPTIONS": "-c no_such_parameter=1", "PGTARGETSESSIONATTRS": "standby", "PGCLIENTENCODING": "SJIS"},
    "PGHOSTADDR": {"PGHOST": "10.255.255.1", "PGHOSTADDR": "10.255.255.1", "PGPORT": "1", "PGUSER": "x"},
    "AWS_PROFILE": {"AWS_PROFILE": "no-such-profile"},
    "AWS_CONFIG_FILE": {"AWS_CONFIG_FILE": "{config}"},
    "AWS_ENDPOINT_URL": {"AWS_ENDPOINT_URL": PROXY, "AWS_ENDPOINT_URL_S3": PROXY, "AWS_CA_BUNDLE": "/no/such.pem"},
    "AWS_USE_FIPS_ENDPOINT": {"AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "true"},
    "HTTP_PROXY": {"HTTP_PROXY": PROXY, "HTTPS_PROXY": PROXY, "ALL_PROXY": PROXY},
    "http_proxy": {"http_proxy": PROXY, "https_proxy": PROXY, "all_proxy": PROXY, "no_proxy": "example.com"},
    "REQUESTS_CA_BUNDLE": {"REQUESTS_CA_BUNDLE": "/no/such.pem", "CURL_CA_BUNDLE": "/no/such.pem"},
    "SSL_CERT_FILE": {"SSL_CERT_FILE": "/no/such.pem", "SSL_CERT_DIR": "/no", "OPENSSL_CONF": "/no/such.cnf"},
    "AIRFLOW": {"AIRFLOW_HOME": "/no", "AIRFLOW__CORE__EXECUTOR": "NoSuch", "AIRFLOW_CONN_AWS_DEFAULT": "{broken"},
    "LC_ALL": {"LC_ALL": "xx_XX.bogus", "LANG": "tr_TR.UTF-8", "LC_NUMERIC": "de_DE.UTF-8"},
    "TZ": {"TZ": "Asia/Shanghai"},
    "TZ of nowhere": {"TZ": ":Nowhere/At_All"},
}
CONFIG = "[default]\nendpoint_url = http://127.0.0.1:9\ns3 =\n  addressing_style = virtual\nca_bundle = /no/such.pem\n"


def without_exceptions_from_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take back what the tests' own processes have for this machine."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def hostile(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A shell with such variables."""
    (tmp_path / "config").write_text(CONFIG)
    without_exceptions_from_the_proxy(monkeypatch)
    for name, value in SHELLS[request.param].items():
        monkeypatch.setenv(name, value.replace("{config}", str(tmp_path / "config")))


@pytest.mark.parametrize("hostile", SHELLS, indirect=True)
@pytest.mark.usefixtures("hostile")
def test_a_command_finds_the_parts_whatever_the_shell_has(
    stack: RunningStack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SPARKIFY_HOME", str(stack.home.folder))
    shell = dict(os.environ)
    song = tmp_path / "in" / "song_data" / "A" / "TR1.json"
    song.parent.mkdir(parents=True)
    song.write_text("{}")
    for command in (["seed", str(tmp_path / "in")], ["sql", "select 1 as one", "--format", "csv"], ["status"]):
        code = cli.main(command)
        said = capsys.readouterr()
        assert code == 0, said.out + said.err
    with environment.apart_from_the_shell():
        s3_client(stack.home).delete_object(Bucket=stack.bucket, Key="song_data/A/TR1.json")
    assert dict(os.environ) == shell


@pytest.mark.stack
@pytest.mark.parametrize(
    "hostile", ["PGSSLMODE", "PGREQUIREAUTH", "PGSERVICE", "AWS_PROFILE", "HTTP_PROXY", "LC_ALL"], indirect=True
)
@pytest.mark.usefixtures("hostile")
def test_programs_start_and_find_each_other_whatever_the_shell_has(tmp_path: Path) -> None:
    stack = Stack(Home(tmp_path / "home"))
    try:
        with environment.apart_from_the_shell():
            stack.up(("postgres", "s3", "redshift"))
            assert {one.name: one.problem for one in stack.status()} == dict.fromkeys(("postgres", "s3", "redshift"))
    finally:
        with environment.apart_from_the_shell():
            stack.down(purge=True)


def test_a_program_gets_what_it_needs_to_run_and_nothing_else() -> None:
    shell = {name: "x" for variables in SHELLS.values() for name in variables}
    shell |= {
        "PYTHONPATH": "x",
        "PYTHONWARNINGS": "error",
        "WEB_CONCURRENCY": "9",
        "_AIRFLOW_PROCESS_CONTEXT": "server",
    }
    needed = {"PATH": "/bin", "HOME": "/h", "USER": "u", "TMPDIR": "/t", "LD_LIBRARY_PATH": "/l", "NIX_LD": "/n"}
    found = environment.of_programs(shell | needed | {"SPARKIFY_POSTGRES_DSN": "x"})
    assert {name: found[name] for name in needed} == needed
    assert found.keys() - needed.keys() == {
        "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_EC2_METADATA_DISABLED", "LC_ALL", "TZ", "PYTHONUTF8",
    }  # fmt: skip
    assert "x" not in found.values()


def test_a_command_keeps_what_the_user_tells_the_stack_and_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SPARKIFY_POSTGRES_DSN", "TERM", "NO_COLOR", "PGHOST"):
        monkeypatch.setenv(name, "x")
    with environment.apart_from_the_shell():
        assert [os.environ.get(name) for name in ("SPARKIFY_POSTGRES_DSN", "TERM", "NO_COLOR")] == ["x"] * 3
        assert "PGHOST" not in os.environ
        with environment.as_the_user():
            assert os.environ["PGHOST"] == "x"
        assert "PGHOST" not in os.environ
    assert os.environ["PGHOST"] == "x"


def test_a_command_for_an_account_of_the_users_finds_it_by_the_shell(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stack: RunningStack, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SPARKIFY_HOME", str(tmp_path / "empty"))
    # Another fixture of this process may lead to a stack of its own.
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    (tmp_path / "song_data").mkdir()
    (tmp_path / "song_data" / "TR1.json").write_text("{}")
    # By a profile, as the user's account is.
    keys = {name.lower(): value for name, value in stack.env.items() if name.startswith("AWS_")}
    profile = {
        "aws_access_key_id": keys["aws_access_key_id"], "aws_secret_access_key": keys["aws_secret_access_key"],
        "endpoint_url": keys["aws_endpoint_url"], "region": "us-west-2",
    }  # fmt: skip
    (tmp_path / "config").write_text(
        "[profile mine]\n" + "".join(f"{key} = {value}\n" for key, value in profile.items())
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "mine")
    bucket = "of-the-user"
    stack.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    assert cli.main(["seed", str(tmp_path), "--bucket", bucket]) == 0, capsys.readouterr().err
    assert [one["Key"] for one in stack.s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["song_data/TR1.json"]
    monkeypatch.setenv("HTTP_PROXY", PROXY)
    without_exceptions_from_the_proxy(monkeypatch)
    assert cli.main(["seed", str(tmp_path), "--bucket", bucket]) == 1
    assert "proxy" in capsys.readouterr().err.lower()
