"""The S3 of a laptop answers its own stack, and no web page, no other user and no foreign key."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.stack.home import PROJECT
from local.stack.ports import LOOPBACK
from tests.local.s3.conftest import KEY, Server, running

SCOPE = "20260101/us-west-2/s3/aws4_request"
SIGNED = {"Authorization": f"AWS4-HMAC-SHA256 Credential={KEY}/{SCOPE}, SignedHeaders=host, Signature=0"}
FOREIGN = {name: value.replace(KEY, "another") for name, value in SIGNED.items()}
OBJECT = "/source/log_data/a.json"
PAGE = "https://evil.example"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("access") / "s3"


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    """One server for all of these tests: none of them changes what it keeps."""
    with running(folder) as server:
        server.client.put_object(Bucket="source", Key="log_data/a.json", Body=b'{"firstName": "Ada"}')
        yield server


def ask(server: Server, method: str, path: str, headers: Mapping[str, str]) -> tuple[int, str, dict[str, str]]:
    """Send these headers and no others; returns the status, the text and the headers of the answer."""
    connection = http.client.HTTPConnection(LOOPBACK, server.port, timeout=60)
    connection.putrequest(method, path, skip_host="Host" in headers, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text, {name.lower(): value for name, value in answer.getheaders()}


@pytest.mark.parametrize(
    "host", [None, "localhost", "LOCALHOST:4572", "127.0.0.1:1", "127.0.0.2", "[::1]:4572", "s3:4572"]
)
def test_a_program_of_the_stack_is_answered_by_every_name_of_this_machine(server: Server, host: str | None) -> None:
    status, text, _ = ask(server, "GET", OBJECT, SIGNED | ({"Host": host} if host else {}))
    assert (status, text) == (200, '{"firstName": "Ada"}')


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("origin", [PAGE, "null", "http://127.0.0.1:4572", ""])
def test_no_web_page_is_answered_and_none_is_invited(server: Server, method: str, origin: str) -> None:
    status, text, headers = ask(server, method, OBJECT, SIGNED | {"Origin": origin})
    assert status == 403
    assert "Ada" not in text
    assert not [name for name in headers if name.startswith("access-control-")]
    assert server.objects().keys() == {"log_data/a.json"}


def test_no_answer_invites_a_web_page(server: Server) -> None:
    for path in (OBJECT, "/moto-api/", "/"):
        _, _, headers = ask(server, "GET", path, SIGNED)
        assert not [name for name in headers if name.startswith("access-control-")], path


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:4572", "127.0.0.1.evil.example", "192.0.2.1", "", "[", "s3.evil.example"]
)
def test_a_page_whose_name_leads_to_this_machine_is_refused(server: Server, host: str) -> None:
    status, text, _ = ask(server, "GET", OBJECT, SIGNED | {"Host": host})
    assert status == 403
    assert "loopback address" in text


@pytest.mark.parametrize(
    ("query", "headers", "status", "code"),
    [
        ("", {}, 403, "AccessDenied"),
        ("", FOREIGN, 403, "InvalidAccessKeyId"),
        ("", {"Authorization": "AWS another:c2lnbmF0dXJl"}, 403, "InvalidAccessKeyId"),
        ("", {"Authorization": f"AWS {KEY}:c2lnbmF0dXJl"}, 200, ""),
        ("", {"Authorization": f"Bearer {KEY}"}, 403, "AccessDenied"),
        ("AWSAccessKeyId=x&Signature=y&Expires=9999999999", {}, 403, "InvalidAccessKeyId"),
        (f"AWSAccessKeyId={KEY}&Signature=y&Expires=9999999999", {}, 200, ""),
        (f"AWSAccessKeyId={KEY}&AWSAccessKeyId=x&Signature=y&Expires=9999999999", {}, 403, "InvalidAccessKeyId"),
        (f"X-Amz-Credential=x%2F{SCOPE.replace('/', '%2F')}&X-Amz-Signature=y", {}, 403, "InvalidAccessKeyId"),
        ("AWSAccessKeyId=x", SIGNED, 403, "InvalidAccessKeyId"),
        (f"AWSAccessKeyId={KEY}", FOREIGN, 403, "InvalidAccessKeyId"),
    ],
)  # fmt: skip
def test_only_the_key_of_the_stack_is_answered_be_it_in_a_header_or_in_the_address(
    server: Server, query: str, headers: dict[str, str], status: int, code: str
) -> None:
    found, text, _ = ask(server, "GET", f"{OBJECT}?{query}", headers)
    assert (found, "Ada" in text) == (status, status == 200)
    assert f"<Code>{code}</Code>" in text or not code


def test_an_address_that_the_stack_has_signed_is_answered(server: Server) -> None:
    address = server.client.generate_presigned_url("get_object", {"Bucket": "source", "Key": "log_data/a.json"})
    assert ask(server, "GET", address.partition(str(server.port))[2], {})[0] == 200


def test_a_program_with_a_foreign_key_reads_why_and_what_to_do(server: Server) -> None:
    with pytest.raises(ClientError, match=r"not that of this stack. `python -m local env` prints") as refused:
        server.client_of("s3", "another").put_object(Bucket="source", Key="big", Body=b"x" * 5_000_000)
    assert refused.value.response["Error"]["Code"] == "InvalidAccessKeyId"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/moto-api/reset"),
        ("POST", "/moto-api/reset-auth"),
        ("GET", "/moto-api/data.json"),
        ("POST", "/moto-api/"),
        ("DELETE", "/moto-api/"),
        ("POST", "/moto-api%2freset"),
        ("POST", "//moto-api/reset"),
        ("POST", "/moto-api/../moto-api/reset"),
    ],
)
def test_motos_own_api_is_closed_even_to_the_stack(server: Server, folder: Path, method: str, path: str) -> None:
    files = sorted(folder.rglob("*"))
    status, text, _ = ask(server, method, path, SIGNED)
    assert status >= 400 or "AccessDenied" in text
    assert '"status": "ok"' not in text
    assert server.objects().keys() == {"log_data/a.json"}
    assert sorted(folder.rglob("*")) == files


def test_a_health_check_needs_no_key(server: Server) -> None:
    assert ask(server, "GET", "/moto-api/", {"Host": "localhost:4572"})[0] == 200


@pytest.fixture(scope="module")
def reader(server: Server) -> Any:
    """A client of a user that this server's IAM knows, who may list the source bucket and nothing else."""
    iam = server.client_of("iam", KEY)
    iam.create_user(UserName="reader")
    allowed = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::source"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName="reader", PolicyName="reader", PolicyDocument=policy)
    made = iam.create_access_key(UserName="reader")["AccessKey"]
    return server.client_of("s3", made["AccessKeyId"], made["SecretAccessKey"])


def test_a_key_that_iam_issued_may_do_what_its_policies_say(server: Server, reader: Any) -> None:
    assert reader.list_objects_v2(Bucket="source")["KeyCount"] == 1
    for forbidden in (
        lambda: reader.get_object(Bucket="source", Key="log_data/a.json"),
        lambda: reader.put_object(Bucket="source", Key="b", Body=b""),
        reader.list_buckets,
    ):
        with pytest.raises(ClientError, match="AccessDenied|Access Denied|Forbidden"):
            forbidden()
    assert server.objects().keys() == {"log_data/a.json"}


def test_an_issued_key_with_a_wrong_secret_is_refused(server: Server, reader: Any) -> None:
    wrong = server.client_of("s3", reader._request_signer._credentials.access_key, "wrong")
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        wrong.list_objects_v2(Bucket="source")


def test_a_role_that_was_taken_may_do_what_its_policies_say(server: Server) -> None:
    iam, sts = server.client_of("iam", KEY), server.client_of("sts", KEY)
    role = iam.create_role(RoleName="copy", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    given = sts.assume_role(RoleArn=role, RoleSessionName="copy")["Credentials"]
    token = {"aws_session_token": given["SessionToken"]}
    taken = server.client_of("s3", given["AccessKeyId"], given["SecretAccessKey"], **token)
    with pytest.raises(ClientError, match="AccessDenied|Access Denied"):
        taken.list_objects_v2(Bucket="source")


def test_without_a_key_there_is_no_server(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "AWS_ACCESS_KEY_ID"}
    command = [sys.executable, "-m", "local.s3", "--port", "1", "--folder", str(tmp_path)]
    ended = subprocess.run(
        command, env=environment, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == 2
    assert "AWS_ACCESS_KEY_ID is not set. Set it to the access key id that clients will send." in ended.stderr
