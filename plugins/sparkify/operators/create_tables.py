"""The tables themselves."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.sql.hooks.sql import DbApiHook

from sparkify.loading.exceptions import DataError, SettingsError, Unavailable
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

    :param sql: files of ``create table if not exists`` statements. (templated)
    :param views: late-binding views of those tables, by name; a rebuild drops them first.
    :param rebuild: the schema's name, typed, to drop every table of ``sql`` and create it empty; '' (default) drops
        nothing; anything else is refused. (templated)
    :param redshift_conn_id: connection of the warehouse; default ``redshift_default``.
    :param aws_conn_id: connection with the settings in its extra; default ``aws_default``.
    :return: the names of the tables created, as XCom.
    """

    template_fields: Sequence[str] = ("sql", "rebuild")
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"sql": "sql"}
    ui_color = "#d9d9d9"
    uses_log_dates = False

    def __init__(
        self,
        *,
        sql: list[str],
        views: Sequence[str] = (),
        rebuild: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sql = sql
        self.views = views
        self.rebuild = rebuild

    def execute(self, context: Context) -> list[str]:
        """Read the catalogue, create what is missing."""
        settings = Settings.of_connection(self.aws_conn_id)
        if self.rebuild and self.rebuild != settings.schema:
            raise SettingsError(
                f"rebuild={self.rebuild!r} is not the schema's name, {settings.schema!r}; nothing was dropped. "
                "Type the schema's name to drop and create all its tables, or leave it empty."
            )
        statements = self._statements()
        with self.session(context, settings) as warehouse:
            if self.rebuild:
                self._drop(warehouse, list(statements), settings.schema)
            self._create_schema(warehouse, settings.schema)
            created = self._create(warehouse, statements, settings.schema)
        self.log.info(
            "Schema %s has all %d tables; created now: %s.",
            settings.schema,
            len(statements),
            ", ".join(created) or "none",
        )
        return created

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

    def _create(self, warehouse: Warehouse, statements: dict[str, str], schema: str) -> list[str]:
        def exists(name: str) -> bool:
            return name in self._existing(warehouse, schema)

        existing = self._existing(warehouse, schema)
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
        self.log.warning("Dropping all %d tables of schema %s.", len(names), schema)
        with warehouse.transaction():
            for view in self.views:
                warehouse.execute(f'drop view if exists "{schema}".{view}')
            for name in names:
                warehouse.execute(f'drop table if exists "{schema}".{name}')
