"""Creates the databases and roles of a home, on our PostgreSQL server or the user's."""

from __future__ import annotations

import os
from urllib.parse import quote

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from local.errors import LocalStackError
from local.stack.home import Home
from local.stack.postgres import Postgres

DSN_VARIABLE = "SPARKIFY_POSTGRES_DSN"
METADATA = "airflow"
WAREHOUSE = "dev"
WAREHOUSE_USER = "sparkify"
_OWNERS = {METADATA: "airflow", WAREHOUSE: WAREHOUSE_USER}
_OLDEST_VERSION = 18
_SERVER = "postgres"
_OWN = "own"


def own_server(home: Home) -> Postgres:
    """Return the server that the home runs when the user gives none."""
    return Postgres(home.postgres, home.port("postgres"), home.secret("postgres"))


def settle_server(home: Home) -> None:
    """Decide, when a home is first brought up, on whose PostgreSQL it lives; it cannot move later."""
    given = os.environ.get(DSN_VARIABLE) or None
    settled = home.mark(_SERVER)
    if settled is None:
        if given is not None:
            _check_given(given)
        home.set_mark(_SERVER, given or _OWN)
    elif given is not None and given != settled:
        raise LocalStackError(
            f"This home keeps its data in {'its own' if settled == _OWN else 'another'} PostgreSQL than the one "
            f"that {DSN_VARIABLE} names. Unset the variable, name another home in SPARKIFY_HOME, or forget this "
            "one with `python -m local down --purge`."
        )


def is_ours(home: Home) -> bool:
    """Whether the home runs its own PostgreSQL."""
    return home.mark(_SERVER) == _OWN


def admin_dsn(home: Home, database: str = "postgres") -> str:
    """Return the address of a database as a user who may make databases and roles."""
    settled = home.mark(_SERVER)
    if settled is None or settled == _OWN:
        return own_server(home).dsn(database)
    return make_conninfo(settled, dbname=database)


def metadata_url(home: Home) -> str:
    """Return the address of Airflow's metadata database for SQLAlchemy."""
    given = conninfo_to_dict(admin_dsn(home, METADATA))
    host, port = quote(str(given.get("host", "127.0.0.1")), safe=""), given.get("port", 5432)
    role = _OWNERS[METADATA]
    return f"postgresql+psycopg2://{role}:{quote(home.secret(role), safe='')}@{host}:{port}/{METADATA}"


def unreachable(home: Home) -> str | None:
    """Return why the server does not answer a query, or None if it does."""
    try:
        with psycopg.connect(admin_dsn(home), connect_timeout=5) as connection:
            connection.execute("select 1")
    except psycopg.Error as error:
        return str(error).strip().replace("\n", " ")
    return None


def provision(home: Home) -> None:
    """Make the roles and databases that are missing, with the passwords of the home."""
    with psycopg.connect(admin_dsn(home), autocommit=True) as connection:
        for database, owner in _OWNERS.items():
            _role(connection, home, owner)
            _database(connection, home, database, owner)
    with psycopg.connect(admin_dsn(home, WAREHOUSE), autocommit=True) as connection:
        role = sql.Identifier(WAREHOUSE_USER)
        connection.execute(sql.SQL("alter schema public owner to {}").format(role))
        # A warehouse's administrator makes roles, as for those who may only read.
        connection.execute(sql.SQL("alter role {} createrole").format(role))


def forget_given_databases(home: Home) -> None:
    """Drop what `provision` made on a server of the user's, and nothing else."""
    with psycopg.connect(admin_dsn(home), autocommit=True) as connection:
        for database, owner in _OWNERS.items():
            if _comment(connection, "pg_database", database) == _signature(home):
                connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(database)))
            if _comment(connection, "pg_authid", owner) == _signature(home):
                for made in _roles_made_by(connection, owner):
                    connection.execute(sql.SQL("drop role {}").format(sql.Identifier(made)))
                connection.execute(sql.SQL("drop role {}").format(sql.Identifier(owner)))


def _check_given(dsn: str) -> None:
    try:
        with psycopg.connect(dsn, connect_timeout=10) as connection:
            found = connection.info.server_version // 10000
            row = connection.execute("select rolsuper from pg_roles where rolname = current_user").fetchone()
    except psycopg.Error as error:
        raise LocalStackError(
            f"The PostgreSQL that {DSN_VARIABLE} names does not answer: {str(error).strip()}"
        ) from error
    if found < _OLDEST_VERSION:
        raise LocalStackError(
            f"The PostgreSQL that {DSN_VARIABLE} names has version {found}, and the Redshift stand-in needs "
            f"{_OLDEST_VERSION} or newer. Name another server, or unset the variable to use the one that "
            "comes with the project."
        )
    if not (row and row[0]):
        raise LocalStackError(
            f"The user that {DSN_VARIABLE} names is no superuser, and the Redshift stand-in needs one for its "
            "system tables. Name a superuser, or unset the variable to use the server of the project."
        )


def _role(connection: psycopg.Connection, home: Home, name: str) -> None:
    if not _is_there(connection, home, "pg_authid", name):
        with connection.transaction():
            connection.execute(sql.SQL("create role {} login").format(sql.Identifier(name)))
            _sign(connection, home, "role", name)
    connection.execute(
        sql.SQL("alter role {} password {}").format(sql.Identifier(name), sql.Literal(home.secret(name)))
    )


def _database(connection: psycopg.Connection, home: Home, name: str, owner: str) -> None:
    if not _is_there(connection, home, "pg_database", name):
        connection.execute(
            sql.SQL("create database {} owner {} template template0 encoding 'UTF8' locale 'C'").format(
                sql.Identifier(name), sql.Identifier(owner)
            )
        )
        _sign(connection, home, "database", name)


def _roles_made_by(connection: psycopg.Connection, owner: str) -> list[str]:
    """Return the roles that a role with CREATEROLE made: PostgreSQL lets their maker administer them."""
    made = connection.execute(
        "select r.rolname from pg_auth_members m join pg_roles r on r.oid = m.roleid "
        "join pg_roles o on o.oid = m.member where o.rolname = %s and m.admin_option order by 1",
        [owner],
    )
    return [str(name) for (name,) in made]


def _is_there(connection: psycopg.Connection, home: Home, catalogue: str, name: str) -> bool:
    comment = _comment(connection, catalogue, name)
    if not is_ours(home) and comment not in (None, _signature(home)):
        kind = "role" if catalogue == "pg_authid" else "database"
        raise LocalStackError(
            f"The PostgreSQL server already has a {kind} named {name} that this home did not make, and the "
            f"stack would take it over. Name another server in {DSN_VARIABLE}, or drop that {kind}."
        )
    return comment is not None


def _comment(connection: psycopg.Connection, catalogue: str, name: str) -> str | None:
    """Return the comment on a role or database, empty if it has none, None if there is no such thing."""
    column = "rolname" if catalogue == "pg_authid" else "datname"
    relation = "pg_roles" if catalogue == "pg_authid" else catalogue
    row = connection.execute(
        sql.SQL("select coalesce(shobj_description(oid, {}), '') from {} where {} = {}").format(
            sql.Literal(catalogue), sql.Identifier(relation), sql.Identifier(column), sql.Literal(name)
        )
    ).fetchone()
    return None if row is None else str(row[0])


def _sign(connection: psycopg.Connection, home: Home, kind: str, name: str) -> None:
    connection.execute(
        sql.SQL("comment on {} {} is {}").format(
            sql.SQL("role" if kind == "role" else "database"),
            sql.Identifier(name),
            sql.Literal(_signature(home)),
        )
    )


def _signature(home: Home) -> str:
    return f"made by the local stack of home {home.identity}"
