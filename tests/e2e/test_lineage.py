"""What OpenLineage's listener receives of runs in Airflow: true inputs and outputs, rows, columns and checks.

docs/lineage.md holds what it told; a test compares it, or writes it if WRITE_LINEAGE is set.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pytest

from local.stack.databases import WAREHOUSE
from sparkify.tables import STAR
from tests.airflow_process import running_airflow
from tests.conftest import RunningStack
from tests.examples import event, play, song
from tests.pipeline import PROJECT, Pipeline, load_dag

pytestmark = pytest.mark.story

PAGE = PROJECT / "docs" / "lineage.md"
BEGIN = (
    "<!-- Written by: WRITE_LINEAGE=1 pytest tests/e2e/test_lineage.py -->\n\n"
    "| task | reads | writes | with |\n|---|---|---|---|\n"
)
DAY, REFUSED = date(2018, 11, 1), date(2018, 11, 2)


class Told:
    """The events of a run's tasks, as a listener received them when they ended."""

    def __init__(self, lines: list[str]) -> None:
        events = [json.loads(line) for line in lines]
        self.ends = {
            event["job"]["name"].rpartition(".")[2]: event
            for event in events
            if event["eventType"] in ("COMPLETE", "FAIL") and "." in event["job"]["name"]
        }

    def names(self, task: str, side: str) -> set[str]:
        """The datasets that a task read or wrote."""
        return {f"{one['namespace']} {one['name']}" for one in self.ends[task][side]}

    def facet(self, task: str, side: str, kind: str, name: str) -> dict[str, Any]:
        """A facet of each dataset that has it, by the dataset's name after its last dot."""
        return {
            one["name"].rpartition(".")[2]: one[kind][name]
            for one in self.ends[task][side]
            if name in one.get(kind, ())
        }


@dataclass(frozen=True)
class Ground:
    """The warehouse, and what the runs told."""

    pipeline: Pipeline
    daily: Told
    refused: Told
    report: Told
    #: The extra of the event of each task's asset.
    assets: dict[str, dict[str, Any]]

    def table(self, name: str) -> str:
        """A table as an event names it."""
        return f"redshift://127.0.0.1:{self.pipeline.stack.redshift['port']} {WAREHOUSE}.{self.pipeline.schema}.{name}"

    def tables(self, *names: str) -> set[str]:
        return set(map(self.table, names))


@pytest.fixture(scope="module")
def ground(stack: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """Runs in an Airflow with the provider and its file transport: a date, one that a check refuses, the report."""
    home = tmp_path_factory.mktemp("lineage")
    file = home / "events.jsonl"
    environment = {
        "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps({"type": "file", "log_file_path": str(file), "append": True})
    }

    def set_both(name: str, value: str) -> None:
        environment[name] = value
        patch.setenv(name, value)

    with pytest.MonkeyPatch.context() as patch:
        pipeline = Pipeline(stack, set_both)
        pipeline.run(dag_id="sparkify_schema")
        pipeline.put_events(DAY, [play(userId="7"), play(userId="", sessionId=2), event(userId="8")])
        pipeline.put_events(REFUSED, [event(userId="9", level="odd")])
        pipeline.put({"song_data/A/A/A/TRA.json": json.dumps(song("SOA")).encode()})
        told = []
        with running_airflow(home, environment) as airflow:
            for dag_id, conf in (
                ("sparkify_daily", {"log_date": str(DAY)}),
                ("sparkify_daily", {"log_date": str(REFUSED)}),
                ("sparkify_report", {}),
            ):
                airflow.run(dag_id, conf)
                told.append(Told(file.read_text().splitlines()))
                file.unlink()
        with closing(sqlite3.connect(home / "airflow.db")) as metadata:
            events = metadata.execute("select source_task_id, extra from asset_event").fetchall()
        daily, refused, report = told
        yield Ground(pipeline, daily, refused, report, {task: json.loads(extra) for task, extra in events})
        pipeline.drop()


def test_staging_comes_from_the_objects_that_were_copied(ground: Ground) -> None:
    bucket = f"s3://{ground.pipeline.bucket}"
    for task, key in (
        ("stage_events", "log_data/2018/11/2018-11-01-events.json"),
        ("stage_songs", "song_data/A/A/A/TRA.json"),
    ):
        assert ground.daily.names(task, "inputs") == {f"{bucket} {key}"}
        size = ground.pipeline.s3.head_object(Bucket=ground.pipeline.bucket, Key=key)["ContentLength"]
        (statistics,) = ground.daily.facet(task, "inputs", "inputFacets", "inputStatistics").values()
        assert (statistics["size"], statistics["fileCount"]) == (size, 1)
    assert ground.daily.names("stage_events", "outputs") == ground.tables("staging_events")
    assert ground.refused.names("stage_songs", "inputs") == set(), "no song was copied again"


@pytest.mark.parametrize("table", STAR, ids=lambda table: table.name)
def test_a_table_comes_from_those_that_its_select_reads_column_by_column(ground: Ground, table: Any) -> None:
    sources = {of for origins in table.origins().values() for of, _ in origins}
    assert ground.daily.names(table.name, "inputs") == ground.tables(*sources)
    assert ground.daily.names(table.name, "outputs") == ground.tables(table.name)
    told = ground.daily.facet(table.name, "outputs", "facets", "columnLineage")[table.name]["fields"]
    assert {
        column: {f"{field['name'].rpartition('.')[2]}.{field['field']}" for field in of["inputFields"]}
        for column, of in told.items()
    } == {column: set(origins) for column, origins in table.columns.items()}


def test_the_rows_are_those_of_load_history(ground: Ground) -> None:
    recorded = ground.pipeline.rows(
        f"select task_id, rows_inserted + rows_updated from load_history where first_log_date = '{DAY}'"
        " or first_log_date is null"
    )
    assert len(recorded) == 2 + len(STAR)
    for task, rows in recorded:
        (statistics,) = ground.daily.facet(task, "outputs", "outputFacets", "outputStatistics").values()
        assert statistics["rowCount"] == rows, task
    assert dict(recorded)["songplays"] == 2


@pytest.mark.parametrize(("told", "task", "state"), [
    ("daily", "check_staging", "COMPLETE"),
    ("daily", "check_warehouse", "COMPLETE"),
    ("refused", "check_staging", "FAIL"),
])  # fmt: skip
def test_each_check_is_an_assertion_also_of_a_task_that_fails(ground: Ground, told: str, task: str, state: str) -> None:
    of_run: Told = getattr(ground, told)
    log_date = DAY if told == "daily" else REFUSED
    recorded = ground.pipeline.rows(
        "select check_name, passed from data_quality_results"
        f" where task_id = '{task}' and first_log_date = '{log_date}'"
    )
    facets = of_run.facet(task, "inputs", "inputFacets", "dataQualityAssertions")
    assertions = [one for facet in facets.values() for one in facet["assertions"]]
    assert sorted((one["assertion"], one["success"]) for one in assertions) == sorted(recorded)
    assert {one["assertion"].partition(".")[0] for one in assertions} == facets.keys()
    assert of_run.ends[task]["eventType"] == state
    assert of_run.names(task, "outputs") == ground.tables("data_quality_results")


def test_there_is_a_check_that_failed_in_each_of_the_two(ground: Ground) -> None:
    broken = ground.pipeline.rows("select distinct first_log_date from data_quality_results where not passed")
    assert sorted(broken) == [(DAY,), (REFUSED,)]


def test_the_report_comes_from_the_tables_that_it_asks(ground: Ground) -> None:
    assert ground.daily.names("tables", "outputs") == set()
    inputs = ground.report.names("report", "inputs")
    assert ground.tables("songplays", "users", "load_history", "data_quality_results") <= inputs
    folder = f"s3://{ground.pipeline.control_bucket} sparkify/reports"
    assert {f"{folder}/latest/report.html", f"{folder}/latest/report.json"} < ground.report.names("report", "outputs")


def test_the_event_of_an_asset_carries_the_counts_and_the_address(ground: Ground) -> None:
    events = ground.assets
    assert events.keys() == {table.name for table in STAR} | {"report"}
    recorded = ground.pipeline.rows("select task_id, rows_inserted, rows_deleted from load_history")
    for task, inserted, deleted in recorded:
        if task in events:
            assert (events[task]["rows_inserted"], events[task]["rows_deleted"]) == (inserted, deleted)
    namespace, _, name = ground.table("users").partition(" ")
    assert events["users"]["uri"] == f"{namespace}/{name.replace('.', '/')}"
    assert events["report"]["uri"] == f"s3://{ground.pipeline.control_bucket}/sparkify/reports/latest/report.html"


def _shown(ground: Ground, task: str, side: str) -> str:
    """The datasets as the page has them: with names for what is another's each time."""
    schema, bucket, control = ground.pipeline.schema, ground.pipeline.bucket, ground.pipeline.control_bucket
    (namespace,) = {name.partition(" ")[0] for name in ground.tables("users")}
    named = {
        f"{namespace} {WAREHOUSE}.{schema}.": "",
        f"s3://{bucket} ": "s3://my-bucket/",
        f"s3://{control} ": "s3://my-control-bucket/",
        f"{datetime.now(UTC):%Y-%m-%d}": "<today>",
    }
    texts = sorted(ground.daily.names(task, side) if task in ground.daily.ends else ground.report.names(task, side))
    for text, name in named.items():
        texts = [one.replace(text, name) for one in texts]
    return ", ".join(f"`{one}`" for one in texts)


def test_the_page_shows_what_was_told(ground: Ground) -> None:
    lines = []
    for task in [*(task.task_id for task in load_dag("sparkify_daily").topological_sort()), "report"]:
        of_run = ground.report if task == "report" else ground.daily
        rows = [one["rowCount"] for one in of_run.facet(task, "outputs", "outputFacets", "outputStatistics").values()]
        found = of_run.facet(task, "inputs", "inputFacets", "dataQualityAssertions").values()
        checks = [one["success"] for facet in found for one in facet["assertions"]]
        counted = ", ".join(f"{count} row{'s' if count != 1 else ''}" for count in rows) or "its checks" * bool(checks)
        inputs, outputs = _shown(ground, task, "inputs"), _shown(ground, task, "outputs")
        if inputs or outputs:
            lines.append(f"| `{task}` | {inputs} | {outputs} | {counted} |\n")
    before, begin, rest = PAGE.read_text().partition(BEGIN)
    assert begin
    table, blank, after = rest.partition("\n\n")
    if os.environ.get("WRITE_LINEAGE"):
        table = "".join(lines).rstrip("\n")
        PAGE.write_text(f"{before}{begin}{table}{blank}{after}")
    assert table == "".join(lines).rstrip("\n"), (
        f"{PAGE.name} says otherwise. To write it again: WRITE_LINEAGE=1 pytest tests/e2e/test_lineage.py"
    )
