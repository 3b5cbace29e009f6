"""A schema as the version before the queues made it, with what is loaded in it."""

from __future__ import annotations

import psycopg
from psycopg import sql

from local.stack import databases
from sparkify.loading.migrations import TABLE
from tests import made_schema
from tests.pipeline import PROJECT, Pipeline

DDL = PROJECT / "tests" / "include" / "schema_before_queues.sql"


def create(pipeline: Pipeline) -> None:
    """Create its tables, empty."""
    with pipeline.session() as warehouse:
        warehouse.execute(f'create schema if not exists "{pipeline.schema}"')
        for statement in DDL.read_text().split(";"):
            if statement.strip():
                warehouse.execute(statement)


def replace(pipeline: Pipeline) -> None:
    """Put its tables in the place of this version's, with the rows of each."""
    schema, copy = pipeline.schema, f"{pipeline.schema}_rows"
    with psycopg.connect(databases.admin_dsn(pipeline.stack.home, databases.WAREHOUSE), autocommit=True) as connection:
        made_schema.keep(connection, schema, copy)
        made_schema.drop(connection, schema)
        create(pipeline)
        kept = set(made_schema.tables(connection, copy)) - {TABLE}
        for name in kept & set(made_schema.tables(connection, schema)):
            described = connection.execute(
                sql.SQL("select * from {} where false").format(sql.Identifier(schema, name))
            ).description
            columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in described or ())
            connection.execute(
                sql.SQL("insert into {} ({}) select {} from {}").format(
                    sql.Identifier(schema, name), columns, columns, sql.Identifier(copy, name)
                )
            )
        made_schema.drop(connection, copy)
