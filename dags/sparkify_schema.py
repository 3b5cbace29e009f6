"""
### Sparkify, schema: the tables and the views

**What.** Creates every table of the warehouse that is missing, and the views for analysts. With the param `rebuild`
typed as the schema's name it drops all tables first: the files in S3 are then the only copy, and the log dates have to
be loaded again. With a name in the param `reader_role` that role may read the views, the star schema and the staged
events; it is created if it is missing. Grant it to people by `grant role … to …`.

**When.** By hand, once by a user who may create tables (and roles, for `reader_role`); after that the daily run needs
no such right. Again after an upgrade of the package. A rebuild takes all grants along: give `reader_role` with it.

**When it fails.** Nothing was dropped, or all was dropped in one transaction. The log says which table and why.
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
READABLE = (*(table.name for table in STAR), STAGING_EVENTS.name)

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
            description="A role that may read, created if it is missing. Empty: grant nothing.",
        ),
    },
    default_args={"owner": "data-engineering", "retries": 0, "execution_timeout": time_limits.LOAD},
) as dag:
    tables = CreateTablesOperator(
        task_id="tables",
        sql=[*sorted(str(file.relative_to(SQL)) for file in (SQL / "schema").glob("*.sql")), *schema_statements()],
        views=[view.stem for view in VIEWS],
        rebuild="{{ params.rebuild }}",
        doc_md="Creates what is missing; drops everything first only if `rebuild` is the schema's name.",
    )
    views = CreateViewsOperator(
        task_id="views",
        sql=[str(view.relative_to(SQL)) for view in VIEWS],
        readable=READABLE,
        reader_role="{{ params.reader_role }}",
        doc_md="Creates the views for analysts, or replaces them, which keeps what was granted on them.",
    )

    tables >> views
