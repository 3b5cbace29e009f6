"""A time that no event can have is a bad line: refused by name, it breaks no other date and leaves nothing behind."""

from __future__ import annotations

import re
import shutil
import time
from datetime import date
from pathlib import Path

import pytest

from sparkify.loading.exceptions import DataError
from tests.field.cases import Case, tried
from tests.field.conftest import EQUAL, Ground

REFUSED = re.compile(
    r"-events\.json, line \d+, .*\bts -?\d+ (looks like (seconds|microseconds|nanoseconds)|lies outside 2000-01-01 to)"
)


def refused(ground: Ground, log_date: date) -> str:
    """What the date's run says when it refuses the date's file."""
    with pytest.raises(DataError) as caught:
        ground.pipeline.run(log_date)
    assert REFUSED.search(str(caught.value)), caught.value
    assert ground.pipeline.rows(f"select count(*) from staging_events where log_date = '{log_date}'") == [(0,)]
    return str(caught.value)


def assert_equal(ground: Ground, folder: Path, *options: str) -> None:
    code, said = ground.verify(folder, *options)
    assert (code, said.splitlines()[-1]) == (0, EQUAL), said


@pytest.mark.parametrize("case", tried(0))
def test_an_impossible_time_stops_no_other_load_and_its_fixed_file_loads(
    case: Case, ground: Ground, tmp_path: Path
) -> None:
    good, bad = case.log_dates("1")
    ground.seed(case.delivery("1"))
    ground.pipeline.run(good)
    refused(ground, bad)
    ground.seed(case.delivery("2"))
    ground.pipeline.run(bad)
    ground.pipeline.run(good)
    for delivery in ("1", "2"):
        shutil.copytree(case.delivery(delivery), tmp_path, dirs_exist_ok=True)
    assert_equal(ground, tmp_path)


@pytest.mark.parametrize("case", tried(1))
def test_a_time_beyond_9999_never_reaches_the_star(case: Case, ground: Ground) -> None:
    (log_date,) = case.log_dates("wrong")
    ground.seed(case.delivery("wrong"))
    for _ in range(2):
        refused(ground, log_date)
        ground.pipeline.run(log_date, max_bad_lines=99)
        assert ground.pipeline.rows("select count(*) from songplays") == [(0,)]
    ground.seed(case.delivery("mended"))
    ground.pipeline.run(log_date)
    assert_equal(ground, case.delivery("mended"))


@pytest.mark.parametrize("case", tried(1))
def test_times_beyond_9999_that_stand_in_staging_are_replaced(case: Case, ground: Ground) -> None:
    (log_date,) = case.log_dates("mended")
    ground.seed(case.delivery("mended"))
    ground.pipeline.run(log_date)
    ground.pipeline.execute("update staging_events set ts = ts * 1000")
    ground.pipeline.execute("update users set last_seen_at = last_seen_at + 49000 * interval '365 days', level = 'old'")
    ground.pipeline.run(log_date)
    assert_equal(ground, case.delivery("mended"))


@pytest.mark.parametrize("case", tried(2))
def test_a_default_date_widens_nothing_that_is_drawn_and_the_report_takes_seconds(case: Case, ground: Ground) -> None:
    ground.seed(case.delivery())
    first, *_, last = case.log_dates()
    ground.pipeline.run(first)
    refused(ground, last)
    ground.pipeline.run(last, max_bad_lines=10)
    answer = ground.pipeline.rows(ground.question("plays_by_day"))
    assert answer
    assert all(first <= row[0] <= last for row in answer)
    began = time.monotonic()
    ground.pipeline.run(dag_id="sparkify_report", only={"report"})
    assert time.monotonic() - began < 60
    listed = ground.pipeline.s3.list_objects_v2(Bucket=ground.pipeline.control_bucket)["Contents"]
    sizes = [item["Size"] for item in listed if item["Key"].endswith("report.html")]
    assert sizes
    assert max(sizes) < 1_000_000
    reasons = [reason for (reason,) in ground.pipeline.rows("select reason from staging_rejects")]
    assert reasons
    assert all(re.fullmatch(r"ts -\d+ lies outside 2000-01-01 to 2100-01-01.*", reason) for reason in reasons)
    assert_equal(ground, case.delivery(), "--skip-unreadable")


@pytest.mark.parametrize("case", tried(4))
def test_a_date_that_failed_breaks_no_other(case: Case, ground: Ground) -> None:
    good, bad = case.log_dates("1")
    ground.seed(case.delivery("1"))
    ground.pipeline.run(good)
    refused(ground, bad)
    ground.seed(case.delivery("2"))
    ground.pipeline.run(good)
    assert_equal(ground, case.delivery("2"))


@pytest.mark.parametrize("case", tried(11))
def test_the_end_of_the_year_9999_is_left_out_and_compared(case: Case, ground: Ground) -> None:
    ground.seed(case.delivery())
    for log_date in case.log_dates():
        ground.pipeline.run(log_date, max_bad_lines=1)
    code, said = ground.verify(case.delivery())
    assert code == 1
    assert "line 1, field ts: 253402300799999 lies outside 2000-01-01 to 2100-01-01" in said
    assert_equal(ground, case.delivery(), "--skip-unreadable")
