from __future__ import annotations

import io
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import BotoCoreError, ClientError

from local.stack.ports import PortReservations
from tests.local.s3.conftest import Server

pytestmark = pytest.mark.stack

ODD_KEYS = [
    "a'b;c--/../é ☃ ?#%25+&.json",
    "../../etc/passwd",
    "..",
    "/leading//double/",
    'tab\tand "quotes"',
    "x" * 1024,
]
REGION = {"LocationConstraint": "us-west-2"}


def test_objects_with_any_key_are_the_same_after_a_crash(server: Server) -> None:
    for key in ODD_KEYS:
        server.client.put_object(
            Bucket="source", Key=key, Body=key.encode(), ContentType="text/x", Metadata={"who": "me"}
        )
    before = server.objects()
    server.crash()
    assert server.objects() == before
    assert set(before) == set(ODD_KEYS)
    for key in ODD_KEYS:
        found = server.client.get_object(Bucket="source", Key=key)
        assert found["Body"].read() == key.encode()
        assert (found["ContentType"], found["Metadata"]) == ("text/x", {"who": "me"})


def test_no_file_is_written_outside_the_folder(server: Server, tmp_path: Path) -> None:
    for key in ODD_KEYS:
        server.client.put_object(Bucket="source", Key=key, Body=b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["s3"]
    assert sorted(path.name for path in (tmp_path / "s3").iterdir()) == ["source"]


def test_an_object_in_parts_keeps_its_bytes_and_its_etag(server: Server) -> None:
    body = os.urandom(12 * 2**20)
    config = TransferConfig(multipart_threshold=2**20, multipart_chunksize=5 * 2**20)
    server.client.upload_fileobj(io.BytesIO(body), "source", "big", Config=config)
    before = server.objects()
    server.crash()
    assert server.objects() == before
    assert before["big"][0].endswith('-3"')
    assert server.client.get_object(Bucket="source", Key="big")["Body"].read() == body


def test_an_overwritten_object_stays_overwritten(server: Server) -> None:
    for body in (b"first", b"second"):
        server.client.put_object(Bucket="source", Key="key", Body=body)
    server.crash()
    assert server.client.get_object(Bucket="source", Key="key")["Body"].read() == b"second"


def test_what_was_deleted_one_by_one_or_many_at_once_stays_deleted(server: Server) -> None:
    for number in range(6):
        server.client.put_object(Bucket="source", Key=str(number), Body=b"x")
    server.client.delete_object(Bucket="source", Key="0")
    server.client.delete_objects(Bucket="source", Delete={"Objects": [{"Key": "1"}, {"Key": "2"}]})
    server.crash()
    assert set(server.objects()) == {"3", "4", "5"}


def test_a_copy_is_kept_in_the_bucket_it_was_copied_to(server: Server) -> None:
    server.client.create_bucket(Bucket="other", CreateBucketConfiguration=REGION)
    server.client.put_object(Bucket="source", Key="a", Body=b"text")
    server.client.copy_object(Bucket="other", Key="b", CopySource={"Bucket": "source", "Key": "a"})
    server.crash()
    assert server.client.get_object(Bucket="other", Key="b")["Body"].read() == b"text"


def test_buckets_come_and_go_for_good(server: Server) -> None:
    for name in ("kept", "dropped"):
        server.client.create_bucket(Bucket=name, CreateBucketConfiguration=REGION)
    server.client.delete_bucket(Bucket="dropped")
    server.crash()
    assert {bucket["Name"] for bucket in server.client.list_buckets()["Buckets"]} == {"source", "kept"}


def test_writers_of_one_key_at_once_leave_the_same_object_in_memory_and_on_disk(server: Server) -> None:
    def put(number: int) -> None:
        server.client.put_object(Bucket="source", Key="key", Body=f"{number}".encode() * 1000)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(put, range(100)))
    before = server.client.get_object(Bucket="source", Key="key")["Body"].read()
    server.crash()
    assert server.client.get_object(Bucket="source", Key="key")["Body"].read() == before


def test_a_crash_amid_writes_loses_none_that_was_acknowledged(server: Server) -> None:
    acknowledged: set[str] = set()

    def put(number: int) -> None:
        try:
            server.client.put_object(Bucket="source", Key=str(number), Body=b"x" * 300)
        except (BotoCoreError, ClientError):
            return
        acknowledged.add(str(number))

    with ThreadPoolExecutor(8) as threads:
        writes = [threads.submit(put, number) for number in range(400)]
        while len(acknowledged) < 50:
            time.sleep(0.001)
        server.end(signal.SIGKILL)
        for write in writes:
            write.result()
    server.start()
    assert len(acknowledged) < 400
    assert acknowledged <= set(server.objects())


def test_no_other_server_takes_the_port_of_one_that_is_down(server: Server) -> None:
    server.end(signal.SIGKILL)
    with PortReservations() as of_another:
        assert of_another.choose(server.port) != server.port
    server.start()
