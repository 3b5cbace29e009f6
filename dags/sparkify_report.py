"""
### Sparkify, report: what is played, as one page

**What.** Asks the warehouse the questions in `include/sql/analytics` and writes the answers as one HTML page with
charts, and as JSON, to the control bucket: `<control prefix>/reports/<day>/report.html` and `report.json`, and the same
under `reports/latest/`. The page needs no network and no server: send it, or open it from a disk. The warehouse is only
read.

**When.** After loads: every load of `songplays` asks for a report. The run waits until no run of `sparkify_daily` is
queued or running, so that a backfill of a month gives one report and not thirty; a run that then finds nothing new is
skipped. By hand it makes a report whatever there is.

**When it fails.** The report as it was stays in place, and no load is affected. Read the task's log, whose last line
says what was wrong, then *clear* the task or wait for the next load. It may wait.
"""

from __future__ import annotations

import sparkify  # noqa: F401  # refuses another Airflow in a sentence, before a name is missing

# isort: split
from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, Asset

from sparkify.layout import include_folder
from sparkify.loading import time_limits
from sparkify.loading.retries import RETRIES
from sparkify.report.wait_for_runs import WaitForRunsSensor
from sparkify.report.write_report import WriteReportOperator

SQL = include_folder(__file__) / "sql"
QUESTIONS = sorted(str(file.relative_to(SQL)) for file in (SQL / "analytics").glob("*.sql"))
# Besides the questions it asks for loads, scope and warnings.
STATEMENTS = len(QUESTIONS) + 3

with DAG(
    dag_id="sparkify_report",
    description="What is played, as one page with charts",
    doc_md=__doc__,
    schedule=[Asset("sparkify_songplays")],
    start_date=datetime(2018, 11, 1, tzinfo=UTC),
    catchup=False,
    # While one run is under way, all further loads ask for one more run together; of their events Airflow notes
    # only the first on that run, which begins after them all.
    max_active_runs=1,
    tags=["sparkify", "redshift", "report"],
    template_searchpath=[str(SQL)],
    default_args={
        "owner": "data-engineering",
        "execution_timeout": time_limits.AWS,
        **RETRIES,
    },
) as dag:
    wait_for_loads = WaitForRunsSensor(
        task_id="wait_for_loads",
        dag_ids=["sparkify_daily", "sparkify_schema"],
        # Where each look is a pod of its own, ten seconds would be thousands of them.
        poke_interval=timedelta(minutes=1),
        doc_md="Waits until no load is under way, six hours at most; then the report is made with what there is.",
    )
    report = WriteReportOperator(
        task_id="report",
        questions=QUESTIONS,
        loads="report/loads.sql",
        scope="report/scope.sql",
        warnings="report/warnings.sql",
        execution_timeout=time_limits.of_statements(STATEMENTS),
        outlets=[Asset("sparkify_report")],
        doc_md="Asks the questions, draws the page and writes it. Skipped if the latest report already covers every "
        "load, unless the run was made by hand.",
    )

    wait_for_loads >> report
