"""
### Sparkify, daily: one log date from S3 into the star schema

**What.** Copies the log date's event file and the new song files from S3 into staging, works out `songplays`, then
`users`, `songs`, `artists` and `time`, and checks both ends. Loading a date again replaces it and nothing else: the
tables depend on the files as last loaded, not on when, in what order or how often.

**When.** Every day after midnight UTC, for the day that has just ended. The log date is the run's *logical date* (not
the date in the run id). If the file is not there yet, the run waits for it, without a worker, until noon UTC (or as
`aws_default` says), and then fails. For any other date trigger by hand with `log_date`, or make a backfill; any order,
any number at once.

**Params** (trigger form; leave empty in a backfill)

| param | meaning |
|---|---|
| `log_date` | the date in the file's name; default is the run's logical date |
| `through` | also load every date after it up to this one, in this one run: at most 3,660 days on, not past tomorrow |
| `max_bad_lines` | load although this many lines cannot be read or have an impossible time; default 0 |
| `missing_file` | `fail` (default), `skip` a date that has no file and leave it as it was, or `wait` for the file |
| `checks` | `due` (default), or `all`: also those of a whole table that was not written since they passed |

**When it fails.** Nothing is half-written: each task writes in one transaction. Read the task's log, whose last line
says what was wrong, where, and what to do; then *clear* the failed task. Connection trouble is tried again by itself
three times; wrong data is not. A failure may wait: the next day's run does not depend on this one. Who is named in
`sparkify.alerts` of `aws_default` is told once a run, or once a backfill, and of checks that warn.

**What may follow.** Each table of the star schema is an asset, such as `sparkify_songplays`, by which a DAG of yours
can be scheduled as `sparkify_report` is. Its events carry the counts of the load and the table's address.
"""

from __future__ import annotations

import sparkify  # noqa: F401  # refuses another Airflow in a sentence, before a name is missing

# isort: split
from datetime import UTC, datetime

from airflow.sdk import DAG, Asset, CronDataIntervalTimetable, Param, TaskGroup

from sparkify.layout import include_folder
from sparkify.loading import time_limits
from sparkify.loading.retries import RETRIES
from sparkify.operators.create_tables import CreateTablesOperator
from sparkify.operators.data_quality import DataQualityOperator
from sparkify.operators.load_dimension import LoadDimensionOperator
from sparkify.operators.load_fact import LoadFactOperator
from sparkify.operators.s3_to_redshift import S3ToRedshiftOperator
from sparkify.tables import STAGING, STAGING_EVENTS, STAGING_SONGS, STAR, dated_tables, schema_statements
from sparkify.ui.links import FilesInS3, LatestReport, LogDateOnThePage

INCLUDE = include_folder(__file__)
SQL = INCLUDE / "sql"


def sql_files(folder: str) -> list[str]:
    """The files in ``include/sql/<folder>``, as templates name them."""
    return sorted(str(file.relative_to(SQL)) for file in (SQL / folder).glob("*.sql"))


STAGING_CHECKS = [check for table in STAGING for check in sql_files(f"quality/{table.name}")]
WAREHOUSE_CHECKS = [
    check for name in (*(table.name for table in STAR), "load_history") for check in sql_files(f"quality/{name}")
]

with DAG(
    dag_id="sparkify_daily",
    description="One log date from S3 into the star schema",
    doc_md=__doc__,
    # The default for a cron string would give a scheduled run the date of the day that is just beginning.
    schedule=CronDataIntervalTimetable("@daily", timezone="UTC"),
    start_date=datetime(2018, 11, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=4,
    tags=["sparkify", "redshift", "daily"],
    template_searchpath=[str(SQL), str(INCLUDE / "jsonpaths")],
    user_defined_macros={"dated_tables": dated_tables()},
    params={
        "log_date": Param(
            None,
            type=["null", "string"],
            format="date",
            title="Log date",
            description="The date in the file's name, YYYY-MM-DD. Empty: the run's logical date.",
        ),
        "through": Param(
            None,
            type=["null", "string"],
            format="date",
            title="Through",
            description="Last log date, to load a range of dates in this one run: at most 3,660 days after the log "
            "date, and not after tomorrow (UTC). Empty: the log date alone.",
        ),
        "max_bad_lines": Param(
            0,
            type="integer",
            minimum=0,
            maximum=99_999,
            title="Bad lines to leave out",
            description="Load although up to this many lines cannot be read or have an impossible time. 0: the first "
            "fails the run.",
        ),
        "missing_file": Param(
            "fail",
            type="string",
            enum=["fail", "skip", "wait"],
            title="If a date has no file",
            description="fail, skip the date and leave it as it was loaded before, or wait for the file. A scheduled "
            "run waits before it fails.",
        ),
        "checks": Param(
            "due",
            type="string",
            enum=["due", "all"],
            title="Checks to run",
            description="due, or all: also those of a whole table that was not written since they passed.",
        ),
    },
    default_args={
        "owner": "data-engineering",
        "links": (LogDateOnThePage(), LatestReport()),
        "execution_timeout": time_limits.LOAD,
        **RETRIES,
    },
) as dag:
    tables = CreateTablesOperator(
        task_id="tables",
        sql=[*sql_files("schema"), *schema_statements()],
        migrations=sql_files("migrations"),
        doc_md="Creates the tables that are missing; usually none. Fails if the user may not create what is missing, "
        "or if the tables are of another version.",
    )
    with TaskGroup("staging", prefix_group_id=False, tooltip="What S3 delivered, as it stands in the files") as staging:
        stage_events = S3ToRedshiftOperator(
            task_id="stage_events",
            table=STAGING_EVENTS,
            jsonpaths="log_events.json",
            epoch_ms="ts",
            max_bad_lines="{{ params.max_bad_lines }}",
            missing_file="{{ params.missing_file }}",
            execution_timeout=time_limits.COPY,
            links=(FilesInS3(), LogDateOnThePage(), LatestReport()),
            doc_md="Replaces the log dates in `staging_events` by their files. While it is *deferred* it waits for a "
            "file. Fails, changing nothing, if a file is missing, or if a line cannot be read or has an impossible "
            "time: the log names file, line, column, value.",
        )
        stage_songs = S3ToRedshiftOperator(
            task_id="stage_songs",
            table=STAGING_SONGS,
            jsonpaths="songs.json",
            max_bad_lines="{{ params.max_bad_lines }}",
            missing_file="{{ params.missing_file }}",
            execution_timeout=time_limits.COPY,
            links=(FilesInS3(), LogDateOnThePage(), LatestReport()),
            doc_md="Adds the song files that are new since the last run; where one changed or vanished, copies its "
            "folder again. Nothing new: no COPY.",
        )
    check_staging = DataQualityOperator(
        task_id="check_staging",
        checks=STAGING_CHECKS,
        which="{{ params.checks }}",
        execution_timeout=time_limits.of_checks(STAGING_CHECKS),
        doc_md="Looks at what was staged before any table of the star schema is written. The log lists each broken "
        "check with its first rows.",
    )
    facts = [
        LoadFactOperator(
            task_id=table.name,
            table=table,
            sql=f"facts/{table.name}.sql",
            keys=f"keys/{table.name}.sql",
            outlets=[Asset(f"sparkify_{table.name}")],
            doc_md=table.about,
        )
        for table in STAR
        if table.partition
    ]
    with TaskGroup("dimensions", prefix_group_id=False, tooltip="The tables around songplays") as dimensions:
        for table in STAR:
            if not table.partition:
                keys = f"keys/{table.name}.sql"
                LoadDimensionOperator(
                    task_id=table.name,
                    table=table,
                    sql=f"dimensions/{table.name}.sql",
                    # Without the file the table has no log dates: its queue says all that there is to do.
                    keys=keys if (SQL / keys).is_file() else None,
                    outlets=[Asset(f"sparkify_{table.name}")],
                    doc_md=table.about,
                )
    check_warehouse = DataQualityOperator(
        task_id="check_warehouse",
        checks=WAREHOUSE_CHECKS,
        which="{{ params.checks }}",
        execution_timeout=time_limits.of_checks(WAREHOUSE_CHECKS),
        bounds="bounds/log_dates.sql",
        doc_md="Compares the star schema with staging for the run's log dates. The tables are already written: a "
        "failure here means that they must not be trusted until it is understood.",
    )

    tables >> staging >> check_staging >> facts >> dimensions >> check_warehouse
    for table in STAR:
        for follower in table.followers:
            dag.get_task(table.name) >> dag.get_task(follower.table.name)
