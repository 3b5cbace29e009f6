from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import cli
from local.errors import LocalStackError
from local.seeding import Seeded, entity_tag, seed
from tests.conftest import RunningStack

PART = 16 * 2**20


def _ignore(_done: int, _total: int) -> None:
    return


@pytest.fixture
def bucket(stack: RunningStack) -> Iterator[str]:
    name = f"seed-{uuid.uuid4().hex}"
    stack.s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    yield name
    for found in stack.s3.list_objects_v2(Bucket=name).get("Contents", []):
        stack.s3.delete_object(Bucket=name, Key=found["Key"])
    stack.s3.delete_bucket(Bucket=name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("log_data/2018/11/2018-11-01-events.json", "song_data/A/A/A/TRA.json", "song_data/A/A/B/TRB.json"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'{{"name": "{name}"}}')
    (tmp_path / "README.md").write_text("not a source file")
    (tmp_path / "log_data" / ".DS_Store").write_text("nor this")
    return tmp_path


def _keys(stack: RunningStack, bucket: str) -> set[str]:
    return {found["Key"] for found in stack.s3.list_objects_v2(Bucket=bucket).get("Contents", [])}


def test_the_files_of_both_folders_are_uploaded_under_their_paths(
    stack: RunningStack, bucket: str, folder: Path
) -> None:
    assert seed(stack.s3, bucket, folder, replace=False, progress=_ignore) == Seeded(3, 0, 0)
    assert _keys(stack, bucket) == {
        "log_data/2018/11/2018-11-01-events.json", "song_data/A/A/A/TRA.json", "song_data/A/A/B/TRB.json",
    }  # fmt: skip


def test_only_changed_files_are_uploaded_again(stack: RunningStack, bucket: str, folder: Path) -> None:
    seed(stack.s3, bucket, folder, replace=False, progress=_ignore)
    (folder / "song_data/A/A/A/TRA.json").write_text("changed")
    assert seed(stack.s3, bucket, folder, replace=False, progress=_ignore) == Seeded(1, 2, 0)
    assert stack.s3.get_object(Bucket=bucket, Key="song_data/A/A/A/TRA.json")["Body"].read() == b"changed"


def test_replace_removes_what_the_folder_no_longer_has_and_nothing_else(
    stack: RunningStack, bucket: str, folder: Path
) -> None:
    seed(stack.s3, bucket, folder, replace=False, progress=_ignore)
    stack.s3.put_object(Bucket=bucket, Key="log_data_bkp/old.json", Body=b"not ours")
    (folder / "song_data/A/A/B/TRB.json").unlink()
    assert seed(stack.s3, bucket, folder, replace=False, progress=_ignore).removed == 0
    assert seed(stack.s3, bucket, folder, replace=True, progress=_ignore).removed == 1
    assert _keys(stack, bucket) == {
        "log_data/2018/11/2018-11-01-events.json", "song_data/A/A/A/TRA.json", "log_data_bkp/old.json",
    }  # fmt: skip


def test_a_folder_with_neither_kind_of_data_is_refused(stack: RunningStack, bucket: str, tmp_path: Path) -> None:
    with pytest.raises(LocalStackError, match="neither a folder log_data nor a folder song_data"):
        seed(stack.s3, bucket, tmp_path, replace=False, progress=_ignore)


def test_an_interrupted_upload_ends_soon_and_the_next_one_goes_on(
    stack: RunningStack, bucket: str, tmp_path: Path
) -> None:
    (tmp_path / "log_data").mkdir()
    for number in range(300):
        (tmp_path / "log_data" / f"{number}").write_text(f"{number}")

    def interrupt(done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        seed(stack.s3, bucket, tmp_path, replace=False, progress=interrupt)
    there = len(_keys(stack, bucket))
    assert 0 < there < 300
    assert seed(stack.s3, bucket, tmp_path, replace=False, progress=_ignore) == Seeded(300 - there, there, 0)


@pytest.mark.parametrize("size", [0, 1, PART - 1, PART, PART + 1, 2 * PART])
def test_a_file_of_any_size_is_recognised_by_its_etag(
    stack: RunningStack, bucket: str, tmp_path: Path, size: int
) -> None:
    (tmp_path / "log_data").mkdir()
    (tmp_path / "log_data" / "file").write_bytes(b"x" * size)
    seed(stack.s3, bucket, tmp_path, replace=False, progress=_ignore)
    found = stack.s3.head_object(Bucket=bucket, Key="log_data/file")
    assert found["ETag"] == f'"{entity_tag(tmp_path / "log_data" / "file")}"'


def test_a_bucket_given_by_name_is_that_of_the_environment(
    stack: RunningStack, bucket: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in stack.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SPARKIFY_HOME", str(tmp_path / "no stack was started here"))
    assert cli.main(["seed", str(folder), "--bucket", bucket]) == 0
    assert len(_keys(stack, bucket)) == 3
