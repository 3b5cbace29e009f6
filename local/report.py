"""`python -m local report`: the latest report of the home's Airflow, as a file to open."""

from __future__ import annotations

import json
import time
import webbrowser
from pathlib import Path

from local import query, terminal
from local.errors import LocalStackError
from local.stack import connections, environment
from local.stack.home import Home

DAG = "sparkify_report"
_LATEST = f"{connections.CONTROL_PREFIX}/reports/latest"
_POLL_SECONDS = 2.0


def show(home: Home, to_open: bool) -> Path:
    """Write the latest report into the home, and open it in a browser if asked to; return the file."""
    page = _latest(home, "report.html")
    if page is None:
        raise LocalStackError(
            f"There is no report yet: the DAG {DAG} makes one after each load. Load log dates by `python -m local "
            f"backfill FIRST LAST`, or make one now by `python -m local trigger --dag {DAG}`."
        )
    file = home.folder / "report.html"
    file.touch(mode=0o600)
    file.chmod(0o600)
    file.write_bytes(page)
    if to_open:
        with environment.as_the_user():
            opened = webbrowser.open(file.as_uri())
        if not opened:
            terminal.tell("No browser could be started; open the file yourself.")
    return file


def wait_until_current(home: Home, seconds: float) -> bool:
    """Wait until the latest report covers all loads; return whether it does."""
    deadline = time.monotonic() + seconds
    while not _is_current(home):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _is_current(home: Home) -> bool:
    data = _latest(home, "report.json")
    loads = query.run(home, "select count(*) from load_history").rows[0][0]
    return data is not None and bool(json.loads(data)["loads"]["loads"] == loads)


def _latest(home: Home, name: str) -> bytes | None:
    s3 = connections.s3_client(home)
    try:
        found = s3.get_object(Bucket=connections.CONTROL_BUCKET, Key=f"{_LATEST}/{name}")
    except s3.exceptions.NoSuchKey:
        return None
    content: bytes = found["Body"].read()
    return content
