"""Where each column comes from is what the SELECTs say, and places are named as OpenLineage names them."""

from __future__ import annotations

from typing import Any

import jinja2
import pytest
import sqlglot
from sqlglot import exp
from sqlglot.lineage import lineage

from sparkify.loading.history import Load
from sparkify.loading.lineage import MOST_OBJECTS, Place, of_copy, tables_read
from sparkify.loading.source import SourceFile
from sparkify.tables import STAR
from tests.pipeline import PROJECT, load_dag

SQL = PROJECT / "include" / "sql"
TEMPLATES = jinja2.Environment(loader=jinja2.FileSystemLoader(SQL), undefined=jinja2.StrictUndefined)


class AnyBounds:
    """Bounds that bound nothing."""

    def __getattr__(self, name: str) -> str:
        return "true"


def schema() -> dict[str, dict[str, str]]:
    """The columns of every table, with their types."""
    found: dict[str, dict[str, str]] = {}
    for file in (SQL / "schema").glob("*.sql"):
        for statement in sqlglot.parse(file.read_text(), read="redshift"):
            if isinstance(statement, exp.Create) and isinstance(statement.this, exp.Schema):
                columns = statement.this.find_all(exp.ColumnDef)
                found[statement.this.this.name] = {column.name: column.args["kind"].sql() for column in columns}
    keys = {column: kind for table in STAR for column, kind in table.queue.items()}
    return found | {"keys": keys | {table.key: found[table.name][table.key] for table in STAR}}


SCHEMA = schema()
TASKS = {task.table.name: task for task in load_dag("sparkify_daily").tasks if hasattr(task, "keys")}


@pytest.mark.parametrize("table", STAR, ids=lambda table: table.name)
def test_each_column_comes_from_the_columns_that_its_select_takes_it_from(table: Any) -> None:
    select = TEMPLATES.from_string(TASKS[table.name].sql).render(bounds=AnyBounds())
    found = {}
    for column in SCHEMA[table.name]:
        nodes = lineage(column, select, schema=SCHEMA, dialect="redshift").walk()
        tables = [node for node in nodes if not node.downstream and isinstance(node.expression, exp.Table)]
        found[column] = {f"{node.expression.this.name}.{node.name.rpartition('.')[2]}" for node in tables}
    assert {column: set(origins) for column, origins in table.columns.items()} == found


def test_the_tables_that_a_question_reads_are_those_of_its_select() -> None:
    task = load_dag("sparkify_report").get_task("report")
    for text in (*task.questions, task.loads, task.scope, task.warnings):
        select = TEMPLATES.from_string(text).render()
        parsed = sqlglot.parse_one(select, read="redshift")
        named = {cte.alias for cte in parsed.find_all(exp.CTE)}
        assert tables_read(select) == {table.name for table in parsed.find_all(exp.Table)} - named


@pytest.mark.parametrize(
    ("host", "named"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("my-cluster.abc.us-west-2.redshift.amazonaws.com", "my-cluster.us-west-2"),
        ("my-group.123456789012.eu-west-1.redshift-serverless.amazonaws.com", "my-group.eu-west-1"),
    ],
)
def test_a_cluster_is_named_as_openlineage_names_it(host: str, named: str) -> None:
    from airflow.sdk import Connection

    place = Place.from_connection(Connection(conn_id="c", conn_type="redshift", host=host, schema="dev"), "music")
    assert (place.namespace, place.name("users")) == (f"redshift://{named}:5439", "dev.music.users")


def test_of_more_objects_than_an_event_should_hold_their_folder_is_named() -> None:
    files = [SourceFile("b", f"song_data/{number}.json", 2, "") for number in range(MOST_OBJECTS + 1)]
    place = Place("redshift://h:1", "dev", "public")
    (whole,) = of_copy(place, "song_data/", files, Load("staging_songs", None)).inputs
    assert (whole.namespace, whole.name) == ("s3://b", "song_data")
    assert whole.inputFacets["inputStatistics"].fileCount == MOST_OBJECTS + 1
    assert len(of_copy(place, "song_data/", files[1:], Load("staging_songs", None)).inputs) == MOST_OBJECTS
