"""
### Sparkify, schema: the tables

**What.** Creates every table of the warehouse that is missing. With the param `rebuild` typed as the schema's name it
drops all tables first: the files in S3 are then the only copy, and the log dates have to be loaded again.

**When.** By hand, once by a user who may create tables; after that the daily run needs no such right.

**When it fails.** Nothing was dropped, or all was dropped in one transaction. The log says which table and why.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from airflow.sdk import DAG, Param

from sparkify.operators.create_tables import CreateTablesOperator

SQL = Path(__file__).resolve().parents[1] / "include" / "sql"

with DAG(
    dag_id="sparkify_schema",
    description="Creates the warehouse's tables, or rebuilds them empty",
    doc_md=__doc__,
    schedule=None,
    start_date=datetime(2018, 11, 1),
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
    },
    default_args={"owner": "data-engineering", "retries": 0},
) as dag:
    CreateTablesOperator(
        task_id="tables",
        sql=sorted(str(file.relative_to(SQL)) for file in (SQL / "schema").rglob("*.sql")),
        rebuild="{{ params.rebuild }}",
        doc_md="Creates what is missing; drops everything first only if `rebuild` is the schema's name.",
    )
