from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import cli, query, report
from tests.conftest import RunningStack

FOLDER = "sparkify/reports/latest"


@pytest.fixture
def folder(stack: RunningStack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The home, without a report before and after."""
    monkeypatch.setenv("SPARKIFY_HOME", str(stack.home.folder))
    yield stack.home.folder
    for name in ("report.html", "report.json"):
        stack.s3.delete_object(Bucket=stack.control_bucket, Key=f"{FOLDER}/{name}")
    (stack.home.folder / "report.html").unlink(missing_ok=True)


def put(stack: RunningStack, name: str, content: str) -> None:
    stack.s3.put_object(Bucket=stack.control_bucket, Key=f"{FOLDER}/{name}", Body=content.encode())


def test_without_a_report_it_says_what_makes_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["report"]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "There is no report yet: the DAG sparkify_report makes one after each load." in said
    assert not (folder / "report.html").exists()


def test_the_latest_report_is_written_into_the_home(
    stack: RunningStack, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for content in ("<p>older</p>", "<p>Björk</p>"):
        put(stack, "report.html", content)
        assert cli.main(["report"]) == 0
        assert capsys.readouterr().out == f"{folder / 'report.html'}\n"
        assert (folder / "report.html").read_text("utf-8") == content
        assert stat.S_IMODE((folder / "report.html").stat().st_mode) == 0o600


@pytest.mark.usefixtures("folder")
def test_a_report_is_current_if_it_tells_of_every_load(stack: RunningStack) -> None:
    query.run(stack.home, "create table load_history (table_name varchar(9))")
    try:
        assert not report.wait_until_current(stack.home, 0)
        put(stack, "report.json", json.dumps({"loads": {"loads": 0}}))
        assert report.wait_until_current(stack.home, 0)
        query.run(stack.home, "insert into load_history (table_name) values ('a')")
        assert not report.wait_until_current(stack.home, 0)
    finally:
        query.run(stack.home, "drop table load_history")
