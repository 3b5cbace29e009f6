"""
### Sparkify, schema: the tables and the views

**What.** Creates every table of the warehouse that is missing, and the views for analysts. Brings tables of an earlier
version to this one by the scripts in `include/sql/migrations` that have not run yet; the table `schema_version` records
them. With `dry_run` it only says in the log of `tables` what it would do.

With `rebuild` typed as the schema's name it drops all tables first: the files in S3 are then the only copy, and the log
dates have to be loaded again. `keep_records` keeps the history of loads, the refused lines and the results of checks.

With a name in `reader_role` that role may read the star schema and the view `songplays_without_names`, but no column
that may name a person. The role in `pii_role` may read every column, all views and the staged events. A role that is
missing is created. Grant it to people by `grant role … to …`.

**When.** By hand, once by a user who may create tables (and roles, if one is given); after that the daily run needs
no such right. Again after an upgrade of the package. A rebuild takes all grants along: give both roles with it.

**When it fails.** Nothing was dropped, or all was dropped in one transaction; a migration ran whole or not at all. The
log says which and why. Clear the task: it goes on where it ended.
"""

from __future__ import annotations

import sparkify  # noqa: F401  # refuses another Airflow in a sentence, before a name is missing

# isort: split
from datetime import UTC, datetime

from airflow.sdk import DAG, Param

from sparkify.layout import include_folder
from sparkify.loading import time_limits
from sparkify.operators.create_tables import CreateTablesOperator
from sparkify.operators.create_views import CreateViewsOperator
from sparkify.tables import STAGING_EVENTS, STAR, schema_statements

SQL = include_folder(__file__) / "sql"
VIEWS = sorted((SQL / "schema" / "views").glob("*.sql"))
RECORDS = ("load_history", "staging_rejects", "data_quality_results")
READABLE = {"songplays_without_names": (), **{table.name: table.personal for table in STAR}}

with DAG(
    dag_id="sparkify_schema",
    description="Creates the warehouse's tables and views, or rebuilds them empty",
    doc_md=__doc__,
    schedule=None,
    start_date=datetime(2018, 11, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["sparkify", "redshift", "by hand"],
    template_searchpath=[str(SQL)],
    params={
        "rebuild": Param(
            "",
            type="string",
            title="Rebuild",
            description="Type the schema's name to drop all its tables and create them empty. Empty: drop nothing.",
        ),
        "reader_role": Param(
            "",
            type="string",
            title="Reader role",
            description="A role that may read what names no person, created if it is missing. Empty: grant nothing.",
        ),
        "pii_role": Param(
            "",
            type="string",
            title="Role for personal data",
            description="A role that may read names, locations and the staged events too. Empty: grant nothing.",
        ),
        "keep_records": Param(
            False,
            type="boolean",
            title="Keep the records",
            description=f"A rebuild keeps {', '.join(RECORDS)}.",
        ),
        "dry_run": Param(
            False,
            type="boolean",
            title="Dry run",
            description="Only tell, in the log, what would be migrated, dropped and created.",
        ),
    },
    default_args={"owner": "data-engineering", "retries": 0, "execution_timeout": time_limits.LOAD},
) as dag:
    tables = CreateTablesOperator(
        task_id="tables",
        sql=[*sorted(str(file.relative_to(SQL)) for file in (SQL / "schema").glob("*.sql")), *schema_statements()],
        migrations=sorted(str(file.relative_to(SQL)) for file in (SQL / "migrations").glob("*.sql")),
        migrate=True,
        views=[view.stem for view in VIEWS],
        rebuild="{{ params.rebuild }}",
        records=RECORDS,
        keep_records="{{ params.keep_records }}",
        plan_only="{{ params.dry_run }}",
        doc_md="Migrates the tables of an earlier version and creates what is missing; drops everything first only if "
        "`rebuild` is the schema's name.",
    )
    views = CreateViewsOperator(
        task_id="views",
        sql=[str(view.relative_to(SQL)) for view in VIEWS],
        readable=READABLE,
        reader_role="{{ params.reader_role }}",
        personal=("songplays_wide", STAGING_EVENTS.name),
        pii_role="{{ params.pii_role }}",
        plan_only="{{ params.dry_run }}",
        doc_md="Creates the views for analysts, or replaces them, which keeps what was granted on them.",
    )

    tables >> views
