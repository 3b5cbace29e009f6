"""Runs the DAGs' own tasks, in this process, against the stand-in: no scheduler, the same operators and SQL."""

from __future__ import annotations

import functools
import json
import logging
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG

from local.reference import KEYS, ROW_TYPES, Tables, differences
from sparkify.loading.settings import Settings
from sparkify.loading.warehouse import Warehouse
from sparkify.tables import STAR
from tests.made_schema import MadeSchema

# The tasks that write; a test of what they write need not also satisfy the checks.
WRITING = ("tables", "stage_events", "stage_songs", *(table.name for table in STAR))

PROJECT = Path(__file__).resolve().parents[1]


@functools.cache
def load_dag(dag_id: str, folder: Path = PROJECT / "dags") -> DAG:
    """The DAG of this id, parsed as Airflow parses it."""
    bag = DagBag(folder / f"{dag_id}.py", collect_dags=False)
    bag.process_file(str(folder / f"{dag_id}.py"))
    assert not bag.import_errors, bag.import_errors
    return bag.dags[dag_id]


class Pipeline:
    """A schema and a bucket of one's own, and the DAGs' tasks run for them in order.

    :param stack: the running PostgreSQL, S3 and stand-in.
    :param set_environment: sets an environment variable for the length of the test.
    :param schema: the warehouse schema, or one that :meth:`make` made; a new name, of no schema yet, unless given.
    :param dags: the folder of the DAGs.
    """

    def __init__(
        self,
        stack: Any,
        set_environment: Callable[[str, str], None],
        schema: str | MadeSchema | None = None,
        dags: Path = PROJECT / "dags",
    ) -> None:
        self.stack = stack
        self.dags = dags
        self.s3 = stack.s3
        name = uuid.uuid4().hex[:12]
        self._made = schema if isinstance(schema, MadeSchema) else None
        self.schema = schema.name if isinstance(schema, MadeSchema) else schema or f"t_{name}"
        self.bucket, self.control_bucket = f"source-{name}", f"control-{name}"
        for bucket in (self.bucket, self.control_bucket):
            self.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
        aws = json.loads(stack.env["AIRFLOW_CONN_AWS_DEFAULT"])
        aws["extra"]["service_config"] = {
            "s3": {"bucket_name": self.bucket},
            "sparkify": {"schema": self.schema, "copy_role": "default", "control_bucket": self.control_bucket},
        }
        self.aws = aws
        self.connect(set_environment)
        self.run_number = 0
        #: What the tasks pushed as XCom besides what they returned, by task and key; of the last run.
        self.published: dict[tuple[str, str], Any] = {}

    def connect(self, set_environment: Callable[[str, str], None]) -> None:
        """Lead this process to this stack, schema and bucket: another pipeline may have led it to its own."""
        self.set_environment = set_environment
        for variable, value in self.stack.env.items():
            set_environment(variable, value)
        self.set_connection("aws_default", self.aws)
        self.set_connection("aws_admin", json.loads(self.stack.env["AIRFLOW_CONN_AWS_DEFAULT"]))

    def set_connection(self, conn_id: str, connection: Mapping[str, Any]) -> None:
        """Define an Airflow connection for this test."""
        self.set_environment(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))

    def put(self, files: Mapping[str, bytes]) -> None:
        """Upload these objects to the source bucket."""
        for key, data in files.items():
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=data)

    def put_events(self, log_date: date, events: Iterable[Mapping[str, Any]]) -> None:
        """Deliver a date's events as its one file, in place of what was there."""
        lines = "\n".join(json.dumps(event, ensure_ascii=False) for event in events)
        self.put({f"log_data/{log_date:%Y/%m}/{log_date}-events.json": lines.encode()})

    def remove(self, key: str) -> None:
        """Take an object out of the source bucket."""
        self.s3.delete_object(Bucket=self.bucket, Key=key)

    @property
    def run_id(self) -> str:
        """Of the youngest run."""
        return f"test__{self.run_number}"

    def run(
        self,
        log_date: date | str | None = None,
        through: date | str | None = None,
        *,
        dag_id: str = "sparkify_daily",
        only: Collection[str] = (),
        run_type: str = "manual",
        ds: str | None = None,
        **params: Any,
    ) -> dict[str, Any]:
        """One run of the DAG's tasks in order, or of those in ``only``; returns what each pushed as XCom."""
        tasks = self.tasks(log_date, through, dag_id=dag_id, only=only, run_type=run_type, ds=ds, **params)
        return {task.task_id: task.execute(context) for task, context in tasks}

    def tasks(
        self,
        log_date: date | str | None = None,
        through: date | str | None = None,
        *,
        dag_id: str = "sparkify_daily",
        only: Collection[str] = (),
        run_type: str = "manual",
        ds: str | None = None,
        **params: Any,
    ) -> Iterator[tuple[Any, Any]]:
        """The tasks of one run in order, each ready to execute, with its context."""
        dag = load_dag(dag_id, self.dags)
        given: dict[str, Any] = {**dag.params.dump(), **params}
        if log_date is not None:
            given["log_date"] = str(log_date)
        if through is not None:
            given["through"] = str(through)
        self.run_number += 1
        run_id = self.run_id
        for task in dag.topological_sort():
            if only and task.task_id not in only:
                continue
            ti = SimpleNamespace(
                dag_id=dag_id,
                run_id=run_id,
                task_id=task.task_id,
                try_number=1,
                xcom_push=functools.partial(self._published, task.task_id),
            )
            context: Any = {
                "params": given,
                "dag_run": SimpleNamespace(run_type=run_type, run_id=run_id),
                "run_id": run_id,
                "ti": ti,
                "task": task,
            }
            if ds is not None:
                context["ds"] = ds
            copy = task.prepare_for_execution()
            copy.render_template_fields(context)
            yield copy, context

    def _published(self, task_id: str, key: str, value: Any) -> None:
        # XCom is kept as JSON.
        self.published[task_id, key] = json.loads(json.dumps(value, allow_nan=False))

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What a query gives, in the test's schema."""
        with self.session() as warehouse:
            return warehouse.rows(sql)

    def execute(self, sql: str) -> int:
        """Run a statement in the test's schema."""
        with self.session() as warehouse:
            return warehouse.execute(sql)

    def make(self, *tasks: str) -> MadeSchema:
        """Make the schema by these tasks of sparkify_schema, or by all, for pipelines to have one after the other."""
        self.run(dag_id="sparkify_schema", only=tasks)
        return MadeSchema.from_warehouse(self.stack.home, self.schema, tasks)

    def empty(self) -> None:
        """Bring the schema back to how it was made; it must be one that :meth:`make` made."""
        self._reset_connections()
        assert self._made
        if not self._made.empty():
            self.run(dag_id="sparkify_schema", only=self._made.tasks)

    def drop(self) -> None:
        """Forget the test's schema."""
        self._reset_connections()
        self.execute(f'drop schema "{self.schema}" cascade')

    def _reset_connections(self) -> None:
        """Use the stack's own connections again, whatever the test made of them."""
        self.set_environment("AIRFLOW_CONN_REDSHIFT_DEFAULT", self.stack.env["AIRFLOW_CONN_REDSHIFT_DEFAULT"])
        self.set_connection("aws_default", self.aws)
        self.set_connection("aws_admin", json.loads(self.stack.env["AIRFLOW_CONN_AWS_DEFAULT"]))

    def session(self) -> Warehouse:
        """A session of the package's own kind in the test's schema."""
        settings = Settings.of_connection("aws_default")
        return Warehouse("redshift_default", settings, "test", logging.getLogger("test"))

    def table(self, name: str) -> list[tuple[Any, ...]]:
        """A table's rows in the order of the reference's columns."""
        columns = ", ".join(ROW_TYPES[name]._fields)  # type: ignore[attr-defined]
        return self.rows(f"select {columns} from {name}")

    def assert_equals(self, expected: Tables, tables: Iterable[str] = tuple(ROW_TYPES)) -> None:
        """Every table equals the reference's, row by row."""
        with self.session() as warehouse:
            for name in tables:
                fields = ROW_TYPES[name]._fields  # type: ignore[attr-defined]
                key = [fields.index(column) for column in KEYS[name]]
                held = warehouse.rows(f"select {', '.join(fields)} from {name}")
                found = differences(expected.rows(name), held, key)
                assert not found, f"{name}: " + "; ".join(found.lines(fields))
