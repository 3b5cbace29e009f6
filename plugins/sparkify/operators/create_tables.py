"""Creates the tables, and migrates those of an earlier version."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.sql.hooks.sql import DbApiHook

from sparkify.loading.exceptions import DataError, SettingsError, Unavailable
from sparkify.loading.migrations import TABLE, Migration, Migrations, State
from sparkify.loading.params import flag
from sparkify.loading.settings import Settings
from sparkify.loading.warehouse_operator import WarehouseOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from sparkify.loading.warehouse import Warehouse

NAME = re.compile(r"\s*create\s+table\s+if\s+not\s+exists\s+(\w+)", re.IGNORECASE)
RACES = 5


class CreateTablesOperator(WarehouseOperator):
    """
    Creates the tables that are missing; with ``rebuild``, drops all of them first.

    Where nothing is missing it only reads the catalogue, so that the loading user needs no right to create.

    :param sql: files of ``create table if not exists`` statements; with ``migrations``, that of the table
        ``schema_version`` among them. (templated)
    :param migrations: files ``NNNN_name.sql`` that bring the tables of an earlier version to this one's; see
        :class:`~sparkify.loading.migrations.Migration`. New tables have had them all. Default none. (templated)
    :param migrate: whether to run the migrations that are missing. If not (default), a schema that misses one fails
        the task.
    :param views: late-binding views of those tables, by name; a rebuild drops them first.
    :param rebuild: the schema's name, typed, to drop every table of ``sql`` and create it empty; '' (default) drops
        nothing; anything else is refused. (templated)
    :param records: tables that a rebuild keeps if ``keep_records``.
    :param keep_records: whether a rebuild keeps ``records``; default no. (templated)
    :param plan_only: whether to tell what would be done, and change nothing; default no. (templated)
    :param redshift_conn_id: connection of the warehouse; default ``redshift_default``.
    :param aws_conn_id: connection with the settings in its extra; default ``aws_default``.
    :return: the names of the tables created, as XCom.
    """

    template_fields: Sequence[str] = ("sql", "migrations", "rebuild", "keep_records", "plan_only")
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"sql": "sql", "migrations": "sql"}
    ui_color = "#d9d9d9"
    uses_log_dates = False

    def __init__(
        self,
        *,
        sql: list[str],
        migrations: Sequence[str] = (),
        migrate: bool = False,
        views: Sequence[str] = (),
        rebuild: str = "",
        records: Sequence[str] = (),
        keep_records: bool | str = False,
        plan_only: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sql = sql
        self.migrations = migrations
        # Templates put the text in the place of the name.
        self.migration_files = tuple(migrations)
        self.migrate = migrate
        self.views = views
        self.rebuild = rebuild
        self.records = records
        self.keep_records = keep_records
        self.plan_only = plan_only

    def execute(self, context: Context) -> list[str]:
        """Read the catalogue, run the migrations that are missing, create what is missing."""
        settings = Settings.of_connection(self.aws_conn_id)
        schema = settings.schema
        if self.rebuild and self.rebuild != schema:
            raise SettingsError(
                f"rebuild={self.rebuild!r} is not the schema's name, {schema!r}; nothing was dropped. "
                "Type the schema's name to drop and create all its tables, or leave it empty."
            )
        keep_records, plan_only = flag("keep_records", self.keep_records), flag("dry_run", self.plan_only)
        statements = self._statements()
        migrations = self._migrations()
        kept = {*self.records, TABLE} if self.rebuild and keep_records else set()
        with self.session(context, settings) as warehouse:
            existing = self._existing(warehouse, schema)
            is_new = existing.isdisjoint(statements.keys() - {TABLE}) or (bool(self.rebuild) and not kept)
            state = State() if is_new else migrations.state(warehouse, existing)
            if kept and state.missing:
                raise SettingsError(
                    f"Schema {schema} is of an earlier version, and so are the records to keep; nothing was dropped. "
                    "Run this DAG without rebuild first, which migrates them; or rebuild without keep_records."
                )
            dropped = [name for name in statements if self.rebuild and name not in kept]
            if plan_only:
                left = existing - set(dropped)
                self._tell(state.missing, existing - left, statements.keys() - left, schema)
                return []
            if state.missing and not self.migrate:
                raise SettingsError(
                    f"Schema {schema} is of an earlier version: {_listed(state.missing)} did not run in it. Nothing "
                    "was loaded. Trigger the DAG sparkify_schema with the tables' owner in the connection "
                    f"{self.redshift_conn_id}, then clear this task."
                )
            if dropped:
                self._drop(warehouse, dropped, schema)
                existing -= set(dropped)
            if not existing:
                self._create_schema(warehouse, schema)
            created = []
            if migrations.newest and not state.is_recorded:
                # New tables are of this version. That is recorded before they are created: a kill leaves tables that
                # are missing, which the next try creates, and never tables that seem to be old.
                created = self._create(warehouse, {TABLE: statements[TABLE]}, schema, existing)
                self._migrate(warehouse, migrations, state)
                existing = self._existing(warehouse, schema)
            created += self._create(warehouse, statements, schema, existing)
        self.log.info(
            "Schema %s has all %d tables; created now: %s.",
            schema,
            len(statements),
            ", ".join(created) or "none",
        )
        return created

    def _migrate(self, warehouse: Warehouse, migrations: Migrations, state: State) -> None:
        """Run what is missing, and record all."""
        schema = warehouse.settings.schema
        for migration in state.missing:
            migrations.apply(warehouse, migration, self._existing(warehouse, schema))
            self.log.info("Migrated schema %s by %s. %s", schema, migration.name, migration.reason)
        migrations.record(warehouse)

    def _migrations(self) -> Migrations:
        texts = zip(self.migration_files, self.migrations, strict=True)
        return Migrations([Migration.from_text(file, text) for file, text in texts])

    def _tell(self, missing: Sequence[Migration], dropped: Iterable[str], created: Iterable[str], schema: str) -> None:
        """Say what would be done."""
        for migration in missing:
            self.log.info("Would migrate schema %s by %s. %s", schema, migration.name, migration.reason)
            for statement in migration.statements:
                self.log.info("%s;", statement)
        for what, names in (("drop", dropped), ("create", created)):
            self.log.info("Would %s in schema %s: %s.", what, schema, ", ".join(sorted(names)) or "no table")

    def _statements(self) -> dict[str, str]:
        statements = {}
        for text in self.sql:
            for statement in DbApiHook.split_sql_string(text):
                name = NAME.match(statement)
                if not name:
                    raise SettingsError(
                        f"A schema file holds {statement[:60]!r}. Expected 'create table if not exists <name> …'."
                    )
                statements[name[1].lower()] = statement.rstrip().rstrip(";")
        return statements

    def _existing(self, warehouse: Warehouse, schema: str) -> set[str]:
        return {
            str(name)
            for (name,) in warehouse.rows(
                "select c.relname from pg_catalog.pg_class c"
                " join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
                f" where n.nspname = '{schema}' and c.relkind in ('r', 'v')"
            )
        }

    def _create_schema(self, warehouse: Warehouse, schema: str) -> None:
        def exists() -> bool:
            return bool(warehouse.rows(f"select 1 from pg_catalog.pg_namespace where nspname = '{schema}'"))

        if not exists():
            self._create_one(warehouse, f'create schema if not exists "{schema}"', exists)

    def _create(
        self, warehouse: Warehouse, statements: Mapping[str, str], schema: str, existing: Collection[str]
    ) -> list[str]:
        def exists(name: str) -> bool:
            return name in self._existing(warehouse, schema)

        missing = [name for name in statements if name not in existing]
        return [name for name in missing if self._create_one(warehouse, statements[name], partial(exists, name))]

    def _create_one(self, warehouse: Warehouse, statement: str, exists: Callable[[], bool]) -> bool:
        """False if another run created it in the same moment; 'if not exists' alone does not spare the loser."""
        for race in range(RACES):
            try:
                warehouse.execute(statement)
                return True
            except (DataError, Unavailable):
                time.sleep(0.2 * race)
                if exists():
                    return False
                if race == RACES - 1:
                    raise
        raise AssertionError("unreachable")

    def _drop(self, warehouse: Warehouse, names: list[str], schema: str) -> None:
        self.log.warning("Dropping %d tables of schema %s.", len(names), schema)
        with warehouse.transaction():
            for view in self.views:
                warehouse.execute(f'drop view if exists "{schema}".{view}')
            for name in names:
                warehouse.execute(f'drop table if exists "{schema}".{name}')


def _listed(migrations: Sequence[Migration]) -> str:
    return ", ".join(migration.name for migration in migrations)
