"""What the tasks tell of their work: the counts of each log date, and what the checks found."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from sparkify.loading.checks import Check, CheckResult
from sparkify.loading.exceptions import DataError
from sparkify.loading.log_dates import LogDates
from sparkify.loading.published import CHECKS, LOAD, LONGEST_SAMPLE, publish_checks
from tests.examples import event
from tests.pipeline import WRITING, Pipeline

FIRST, SECOND = date(2018, 11, 1), date(2018, 11, 2)


def test_a_load_tells_its_counts_of_each_log_date(pipeline: Pipeline) -> None:
    pipeline.put_events(FIRST, [event(itemInSession=1), event(itemInSession=2)])
    pipeline.put({"log_data/2018/11/2018-11-02-events.json": b'{"page": "Home"}\n{oops\n'})
    pipeline.run(FIRST, SECOND, only=WRITING, max_bad_lines=1)
    load = pipeline.published["stage_events", LOAD]
    assert load["dates"] == {
        "2018-11-01": {"files": 1, "lines": 2, "refused": 0},
        "2018-11-02": {"files": 1, "lines": 2, "refused": 1},
    }
    assert (load["first"], load["last"], load["rows_staged"]) == ("2018-11-01", "2018-11-02", 3)
    assert pipeline.published["songplays", LOAD]["table"] == "songplays"


def test_a_date_that_was_skipped_is_not_among_those_told_of(pipeline: Pipeline) -> None:
    pipeline.run(FIRST, only=("tables", "stage_events"), missing_file="skip")
    assert pipeline.published["stage_events", LOAD]["dates"] == {}


def test_checks_that_fail_their_task_have_told_before(pipeline: Pipeline) -> None:
    pipeline.put_events(FIRST, [event(itemInSession=1), event(itemInSession=2) | {"sessionId": None}])
    pipeline.run(FIRST, only=("tables", "stage_events"))
    with pytest.raises(DataError):
        pipeline.run(FIRST, only=("check_staging",))
    told = pipeline.published["check_staging", CHECKS]
    broken = {check["check"]: check for check in told["broken"]}["staging_events.identity_is_complete"]
    assert (broken["severity"], broken["offending"], broken["fails"]) == ("error", 1, True)
    assert dict(zip(broken["columns"], broken["sample"][0], strict=True))["session_id"] is None
    assert "staging_events.page_is_present" in told["passed"]["error"]


def test_a_sample_is_cut_to_what_airflows_database_should_hold() -> None:
    pushed: dict[str, Any] = {}

    class Told:
        @staticmethod
        def xcom_push(key: str, value: Any) -> None:
            pushed[key] = value

    check = Check("songs.id_is_unique", "warn", "a song is one row", "select 1")
    rows = [["x" * 150] * 10 for _ in range(5)]
    result = CheckResult(check, 5, [f"column_{n}" for n in range(10)], rows)
    publish_checks({"ti": Told}, LogDates(FIRST, FIRST), [result])
    sample = pushed[CHECKS]["broken"][0]["sample"]
    assert 1 <= len(sample) < len(rows)
    assert len(str(sample)) < LONGEST_SAMPLE * 1.1
