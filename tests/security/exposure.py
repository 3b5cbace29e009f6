"""Every place where somebody who is not to know a secret could read it."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import psycopg
from psycopg import sql

from local.stack.databases import METADATA, WAREHOUSE, admin_dsn
from tests.security.deployment import BAD_DATE, Deployment

# The private files that the secrets themselves are kept in, and the database's own, which is read by SQL.
KEPT = ("state.json", "airflow/passwords.json", "run/supervisor/supervisord.conf", "postgres/")
EVERY_TABLE = """
select n.nspname, c.relname from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
where c.relkind in ('r', 'm') and n.nspname !~ '^(pg_|information_schema)' order by 1, 2
"""
PAGE = 100


def places(deployment: Deployment) -> Iterator[tuple[str, str]]:
    """Each place and the text there: files, both databases, what the REST API shows, what the command line said."""
    yield from _files(deployment)
    for database in (METADATA, WAREHOUSE):
        yield from _tables(deployment, database)
    yield from _rest(deployment)
    yield from _page(deployment)
    yield from ((f"what command {number} said", said) for number, said in enumerate(deployment.said))


def exposed(deployment: Deployment) -> tuple[list[str], list[str]]:
    """What is seen where, and all places that were looked at."""
    found, seen = [], []
    written = {name: set(_written(secret)) for name, secret in deployment.secrets().items()}
    for place, text in places(deployment):
        seen.append(place)
        found += [
            f"{name} in {place}: {_around(text, way)}" for name, ways in written.items() for way in ways if way in text
        ]
    return found, seen


def _written(secret: str) -> Iterator[str]:
    """All ways in which a secret is written down: as it is, in an URL, in JSON, and in base64."""
    yield secret
    for quoted in (quote(secret), quote(secret, safe=""), quote_plus(secret)):
        yield quoted
        yield re.sub("%..", lambda code: code[0].lower(), quoted)
    for escaped in (json.dumps(secret), json.dumps(secret, ensure_ascii=False)):
        yield escaped[1:-1]
        yield escaped[1:-1].replace("/", "\\/")
    # Base64 writes three bytes as four letters. What stands before and after the secret spoils the letters that it has
    # a part in.
    for before in range(3):
        given = bytes(before) + secret.encode()
        whole = base64.b64encode(given).decode().rstrip("=")
        inside = whole[(0, 2, 3)[before] : len(given) * 8 // 6]
        yield inside
        yield inside.translate(str.maketrans("+/", "-_"))


def _around(text: str, secret: str) -> str:
    at = text.index(secret)
    before, after = text[max(0, at - 150) : at], text[at + len(secret) : at + len(secret) + 50]
    return repr(f"{before}<SECRET>{after}")


def _page(deployment: Deployment) -> Iterator[tuple[str, str]]:
    """The Sparkify page with all its parts, and the report."""
    for path in ("/", "/checks", "/loads", "/report", "/report/latest", f"/dates/{BAD_DATE}"):
        answer = deployment.ask("GET", f"/sparkify{path}")
        answer.raise_for_status()
        yield f"the page {path}", answer.text


def _files(deployment: Deployment) -> Iterator[tuple[str, str]]:
    for folder, _, names in os.walk(deployment.home.folder):
        for name in names:
            path = Path(folder, name)
            inside = path.relative_to(deployment.home.folder).as_posix()
            if path.is_file() and not inside.startswith(KEPT):
                yield f"the file {inside}", path.read_text(errors="replace")


def _tables(deployment: Deployment, database: str) -> Iterator[tuple[str, str]]:
    with psycopg.connect(admin_dsn(deployment.home, database)) as connection:
        for schema, table in connection.execute(EVERY_TABLE).fetchall():
            query = sql.SQL("select t::text from {} as t").format(sql.Identifier(schema, table))
            yield (
                f"the table {schema}.{table} of {database}",
                "\n".join(str(row) for (row,) in connection.execute(query)),
            )


def _rest(deployment: Deployment) -> Iterator[tuple[str, str]]:
    tries = []
    for offset in range(0, 10_000, PAGE):
        path = "/dags/~/dagRuns/~/taskInstances"
        answer = deployment.rest("GET", path, params={"limit": PAGE, "offset": offset})
        yield f"REST {path}, from {offset}", answer.text
        tries += answer.json()["task_instances"]
        if offset + PAGE >= answer.json()["total_entries"]:
            break
    for path in ("/connections", "/dags/~/dagRuns", "/dags", "/eventLogs", "/importErrors", "/variables", "/plugins"):
        yield f"REST {path}", deployment.rest("GET", path, params={"limit": PAGE}).text
    for task in [task for task in tries if task["state"] == "failed"]:
        path = f"/dags/{task['dag_id']}/dagRuns/{task['dag_run_id']}/taskInstances/{task['task_id']}"
        for part in (f"logs/{task['try_number']}?full_content=true", "xcomEntries"):
            yield f"REST {path}/{part}", json.dumps(deployment.rest("GET", f"{path}/{part}").json())
