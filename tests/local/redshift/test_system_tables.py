from __future__ import annotations

import asyncio

import psycopg
import pytest

from local.redshift.system_tables import NotReadyError, SystemTables
from local.stack.postgres import Postgres


@pytest.fixture
def database(postgres: Postgres) -> str:
    """An empty database of a role that is no superuser."""
    with psycopg.connect(postgres.dsn(), autocommit=True) as admin:
        admin.execute("drop database if exists plain with (force)")
        admin.execute("drop role if exists plain")
        admin.execute("create role plain login password 'plain-password'")
        admin.execute("create database plain owner plain")
    return "plain"


async def install(dsn: str) -> None:
    tables = SystemTables(dsn)
    try:
        await tables.install(5)
    finally:
        await tables.close()


def test_who_is_no_superuser_is_told_so(postgres: Postgres, database: str) -> None:
    dsn = psycopg.conninfo.make_conninfo(postgres.dsn(database), user="plain", password="plain-password")
    with pytest.raises(NotReadyError, match="Use a superuser's log-in for --dsn"):
        asyncio.run(install(dsn))


def test_installing_again_keeps_what_is_remembered_of_loads(postgres: Postgres, database: str) -> None:
    dsn = postgres.dsn(database)
    asyncio.run(install(dsn))
    with psycopg.connect(dsn, autocommit=True) as admin:
        admin.execute("insert into redshift_compat.loads (query_id) values (1)")
        # Another version was there before.
        admin.execute("comment on schema redshift_compat is 'old'")
    asyncio.run(install(dsn))
    with psycopg.connect(dsn) as session:
        assert session.execute("select count(*) from redshift_compat.loads").fetchone() == (1,)
        assert session.execute("select 'a ' = 'a'").fetchone() == (True,)
    with psycopg.connect(postgres.dsn()) as other:
        assert other.execute("select 'a ' = 'a'").fetchone() == (False,)
