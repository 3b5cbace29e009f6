"""Creates the analysts' views, and grants access to them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from sparkify.loading.driver_errors import sqlstate
from sparkify.loading.exceptions import DataError, SettingsError
from sparkify.loading.params import flag
from sparkify.loading.settings import Settings
from sparkify.loading.warehouse import quoted
from sparkify.loading.warehouse_operator import WarehouseOperator

if TYPE_CHECKING:
    import jinja2
    from airflow.sdk import Context

    from sparkify.loading.warehouse import Warehouse

VIEW = re.compile(
    r'\s*(create\s+or\s+replace\s+view\s+"[^"]+"\.(\w+)\s.+\bwith\s+no\s+schema\s+binding)[\s;]*',
    re.IGNORECASE | re.DOTALL,
)
ROLE = re.compile(r"[a-z_][a-z0-9_]{0,62}", re.ASCII)
DUPLICATE_OBJECT = "42710"


class CreateViewsOperator(WarehouseOperator):
    """
    Creates or replaces views, and lets two roles read: one what names no person, and one all.

    The views are late-binding, so that the tables below them can be dropped and created again. Replacing one keeps
    what was granted on it; its columns must be those it had
    (https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_VIEW.html).

    :param sql: files of one ``create or replace view "{{ schema }}".<name> … with no schema binding`` each, every table
        named with its schema; ``schema`` is that of the settings. (templated)
    :param readable: tables and views that both roles may read, each with its columns that only ``pii_role`` may.
    :param reader_role: the role that may read them, created if it is missing; '' (default) grants nothing. What an
        earlier run granted it on tables and views of this operator's, and this one does not, is revoked. (templated)
    :param personal: tables and views that only ``pii_role`` may read.
    :param pii_role: the role that may read all of them, created if it is missing; '' (default) grants nothing.
        (templated)
    :param plan_only: whether to tell what would be done, and change nothing; default no. (templated)
    :param redshift_conn_id: connection of the warehouse; default ``redshift_default``.
    :param aws_conn_id: connection with the settings in its extra; default ``aws_default``.
    :return: the names of the views, as XCom.
    """

    template_fields: Sequence[str] = ("sql", "reader_role", "pii_role", "plan_only")
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"sql": "sql"}
    ui_color = "#d9d9d9"
    uses_log_dates = False

    def __init__(
        self,
        *,
        sql: list[str],
        readable: Mapping[str, Sequence[str]] = MappingProxyType({}),
        reader_role: str = "",
        personal: Sequence[str] = (),
        pii_role: str = "",
        plan_only: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sql = sql
        self.readable = readable
        self.reader_role = reader_role
        self.personal = personal
        self.pii_role = pii_role
        self.plan_only = plan_only

    def render_template_fields(self, context: Context, jinja_env: jinja2.Environment | None = None) -> None:
        """Render with ``schema``, the warehouse schema, beside Airflow's own variables."""
        with_schema: Any = {**context, "schema": Settings.of_connection(self.aws_conn_id).schema}
        super().render_template_fields(with_schema, jinja_env)

    def execute(self, context: Context) -> list[str]:
        """Create the views, then the roles, then grant."""
        roles = {"reader_role": self.reader_role, "pii_role": self.pii_role}
        for param, role in roles.items():
            if role and not ROLE.fullmatch(role):
                raise SettingsError(
                    f"{param}={role!r} is not the name of a role; nothing was created. Type one of small "
                    "letters, digits and underscores, at most 63, or leave it empty."
                )
        if self.reader_role and self.reader_role == self.pii_role:
            raise SettingsError(
                f"reader_role and pii_role are both {self.pii_role!r}; nothing was created. Give a role that may not "
                "read personal data another name, or leave it empty."
            )
        views = self._views()
        told = "".join(f"; role {role} may read as {param}" for param, role in roles.items() if role)
        if flag("dry_run", self.plan_only):
            self.log.info("Would create or replace the views %s%s.", ", ".join(views), told)
            return []
        settings = Settings.of_connection(self.aws_conn_id)
        with self.session(context, settings) as warehouse:
            for statement in views.values():
                warehouse.execute(statement)
            if self.reader_role:
                self._let_read(warehouse, self.reader_role, self._columns(warehouse))
            if self.pii_role:
                self._let_read(warehouse, self.pii_role, dict.fromkeys((*self.readable, *self.personal)))
        self.log.info("Schema %s has the views %s%s.", settings.schema, ", ".join(views), told)
        return list(views)

    def _columns(self, warehouse: Warehouse) -> dict[str, list[str] | None]:
        """What may be read by those who may not read personal data: by table, the columns; None for all."""
        columns: dict[str, list[str] | None] = {}
        for name, personal in self.readable.items():
            others = [column for column in warehouse.columns(name) if column not in personal] if personal else None
            columns[name] = others
        return columns

    def _views(self) -> dict[str, str]:
        views = {}
        for text in self.sql:
            found = VIEW.fullmatch(text)
            if not found:
                raise SettingsError(
                    f"A view's file holds {text.strip()[:60]!r}. Expected one 'create or replace view "
                    '"{{ schema }}".<name> … with no schema binding\'.'
                )
            views[found[2].lower()] = found[1]
        return views

    def _let_read(self, warehouse: Warehouse, role: str, columns: Mapping[str, Sequence[str] | None]) -> None:
        """Let a role read these and nothing else of this operator's.

        :param columns: by table or view, the columns; None for all.
        """
        schema = warehouse.settings.schema
        if not warehouse.rows(f"select 1 from svv_roles where role_name = '{role}'"):
            self._create_role(warehouse, role)
        whole = [name for name, some in columns.items() if some is None]
        # In one transaction, so that nobody who reads is refused in between.
        with warehouse.transaction():
            warehouse.execute(f'grant usage on schema "{schema}" to role "{role}"')
            warehouse.execute(f'revoke select on {_named(schema, (*self.readable, *self.personal))} from role "{role}"')
            warehouse.execute(f'grant select on {_named(schema, whole)} to role "{role}"')
            for name, some in columns.items():
                if some is not None:
                    listed = ", ".join(map(quoted, some))
                    warehouse.execute(f'grant select ({listed}) on {_named(schema, [name])} to role "{role}"')

    def _create_role(self, warehouse: Warehouse, role: str) -> None:
        """Create the role, which may be there all the same: svv_roles shows a user's own roles alone
        (https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_ROLES.html)."""
        try:
            warehouse.execute(f'create role "{role}"')
        except DataError as error:
            if error.__cause__ is None or sqlstate(error.__cause__) != DUPLICATE_OBJECT:
                raise


def _named(schema: str, names: Iterable[str]) -> str:
    return ", ".join(f'"{schema}".{name}' for name in names)
