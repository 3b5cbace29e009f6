"""The report: written whole, dated and as the latest, and not twice of the same loads."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from sparkify.loading.exceptions import SettingsError
from sparkify.loading.source import Source
from sparkify.loading.warehouse import Warehouse
from tests.examples import play
from tests.month import small_month
from tests.pipeline import WRITING, Pipeline

pytestmark = pytest.mark.report

DAY = date(2018, 11, 1)
LATEST = "sparkify/reports/latest"


def make_report(pipeline: Pipeline, run_type: str = "asset_triggered", run_id: str = "") -> Any:
    ((task, context),) = pipeline.tasks(dag_id="sparkify_report", only={"report"}, run_type=run_type)
    if run_id:
        context["run_id"] = run_id
    return task.execute(context)


def written(pipeline: Pipeline, key: str) -> str:
    return str(pipeline.s3.get_object(Bucket=pipeline.control_bucket, Key=key)["Body"].read(), "utf-8")


def latest(pipeline: Pipeline) -> Any:
    return json.loads(written(pipeline, f"{LATEST}/report.json"))


@pytest.fixture
def loaded(pipeline: Pipeline) -> Pipeline:
    month = small_month()
    pipeline.put(month.files)
    pipeline.run(month.first, month.last)
    return pipeline


def test_the_page_and_its_data_are_written_of_the_day_and_as_the_latest(loaded: Pipeline) -> None:
    urls = make_report(loaded)
    listed = loaded.s3.list_objects_v2(Bucket=loaded.control_bucket, Prefix="sparkify/reports/")["Contents"]
    today = datetime.now(UTC).date()
    day = f"sparkify/reports/{latest(loaded)['made_at'][:10]}"
    assert abs((date.fromisoformat(day[-10:]) - today).days) <= 1
    assert {item["Key"] for item in listed} == {
        f"{folder}/{name}" for folder in (day, LATEST) for name in ("report.html", "report.json")
    }
    for name in ("report.html", "report.json"):
        assert written(loaded, f"{day}/{name}") == written(loaded, f"{LATEST}/{name}")
    assert urls == {
        "report": f"s3://{loaded.control_bucket}/{day}/report.html",
        "latest": f"s3://{loaded.control_bucket}/{LATEST}/report.html",
    }
    page = loaded.s3.head_object(Bucket=loaded.control_bucket, Key=f"{LATEST}/report.html")
    assert page["ContentType"] == "text/html; charset=utf-8"
    assert page["ContentLength"] < 1_000_000


def test_the_report_tells_what_the_warehouse_holds(loaded: Pipeline) -> None:
    make_report(loaded)
    month, data = small_month(), latest(loaded)
    assert data["scope"] | {"log_dates": None} == {
        "first_log_date": str(month.first),
        "last_log_date": str(month.last),
        "log_dates": None,
        "plays": loaded.rows("select count(*) from songplays")[0][0],
        "matched": loaded.rows("select count(*) from songplays where song_id is not null")[0][0],
        "listeners": loaded.rows("select count(distinct user_id) from songplays")[0][0],
    }
    answers = {answer["name"]: answer["rows"] for answer in data["answers"]}
    assert len(answers) == 12
    hours = loaded.rows("select extract(hour from start_time), count(*) from songplays group by 1 order by 1")
    assert [(row["hour"], row["plays"]) for row in answers["plays_by_hour"]] == [(int(h), n) for h, n in hours]
    broken = {row["check_name"] for row in data["warnings"]}
    recorded = loaded.rows("select distinct check_name from data_quality_results where not passed")
    assert broken == {name for (name,) in recorded}


@pytest.mark.parametrize("through", [None, DAY + timedelta(days=1)], ids=["alone", "in a range"])
def test_a_check_that_passes_when_it_runs_again_is_a_warning_no_more(pipeline: Pipeline, through: date | None) -> None:
    pipeline.put_events(DAY, [play(userId=None)])
    pipeline.run(DAY, missing_file="skip")
    make_report(pipeline)
    (warning,) = (row for row in latest(pipeline)["warnings"] if row["check_name"] == "staging_events.play_has_a_user")
    assert (warning["severity"], warning["offending"]) == ("warn", 1)
    pipeline.put_events(DAY, [play()])
    pipeline.run(DAY, through, missing_file="skip")
    make_report(pipeline)
    assert "staging_events.play_has_a_user" not in {row["check_name"] for row in latest(pipeline)["warnings"]}


def test_of_the_same_loads_there_is_one_report_unless_it_is_asked_for_by_hand(loaded: Pipeline) -> None:
    make_report(loaded, run_id="first")
    with pytest.raises(AirflowSkipException, match="by run first, covers every load there is"):
        make_report(loaded, run_id="second")
    assert latest(loaded)["run_id"] == "first"
    make_report(loaded, run_id="first")
    make_report(loaded, "manual", run_id="by hand")
    assert latest(loaded)["run_id"] == "by hand"


def test_after_another_load_there_is_another_report(loaded: Pipeline) -> None:
    make_report(loaded, run_id="first")
    loaded.run(small_month().first, only=WRITING)
    make_report(loaded, run_id="second")
    assert latest(loaded)["run_id"] == "second"


def test_data_that_cannot_be_read_are_made_anew(loaded: Pipeline) -> None:
    loaded.s3.put_object(Bucket=loaded.control_bucket, Key=f"{LATEST}/report.json", Body=b'{"loads"')
    make_report(loaded, run_id="first")
    assert latest(loaded)["run_id"] == "first"


def test_the_latest_is_written_last_and_its_data_after_its_page(
    loaded: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths: list[str] = []
    put = Source.put

    def listen(source: Source, path: str, *arguments: str) -> str:
        paths.append(path)
        return put(source, path, *arguments)

    monkeypatch.setattr(Source, "put", listen)
    make_report(loaded)
    assert [path.rpartition("/")[2] for path in paths] == ["report.html", "report.json"] * 2
    assert [path.startswith("reports/latest/") for path in paths] == [False, False, True, True]


def test_the_warehouse_is_only_read(loaded: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    cursor = Warehouse._cursor

    def listen(warehouse: Warehouse, sql: str, parameters: Any) -> Any:
        heard.append(sql.split()[0].lower())
        return cursor(warehouse, sql, parameters)

    monkeypatch.setattr(Warehouse, "_cursor", listen)
    make_report(loaded)
    assert set(heard) == {"select", "with"}


def test_what_a_file_holds_does_not_become_part_of_the_page(pipeline: Pipeline) -> None:
    title = "<script>alert('x')</script>"
    pipeline.put_events(DAY, [play(song=title, artist="<b>&amp;</b>", location="<img src=x onerror=alert(1)>")])
    pipeline.run(DAY, only=WRITING, missing_file="skip")
    make_report(pipeline)
    page = written(pipeline, f"{LATEST}/report.html")
    assert "<script" not in page
    assert "<img" not in page
    assert "<b>" not in page
    assert "&lt;script&gt;alert(" in page


def test_an_empty_warehouse_gives_a_page_that_says_so(pipeline: Pipeline) -> None:
    make_report(pipeline)
    assert "There is nothing to tell yet" in written(pipeline, f"{LATEST}/report.html")


def test_without_tables_it_says_what_creates_them(pipeline: Pipeline) -> None:
    pipeline.execute("drop table load_history")
    with pytest.raises(SettingsError, match="Run the DAG sparkify_schema"):
        make_report(pipeline)
