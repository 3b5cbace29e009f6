"""The tool for the day a cluster is at hand, tried on the stand-in."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest

from local.conformance import explained, week
from local.conformance.__main__ import LOAD, STATEMENTS
from local.conformance.statements import REFUSED, RIGHT, WRONG, Statement, read, run
from local.conformance.target import arguments, schema_of_our_own
from local.errors import LocalStackError
from sparkify.tables import STAGING, STAR
from tests.local.conformance.shapes import shape
from tests.local.conformance.test_emitted import listed

PROJECT = Path(__file__).parents[3]
PUBLISHED = PROJECT.parent / "shared" / "conformance" / "redshift_statements.json"
QUOTING = PROJECT / "docs" / "stand-in.md"
BEGIN, END = "<!-- Written by: WRITE_CONFORMANCE=1 pytest tests/local/conformance -->", "<!-- End of the result -->"
HOW_TO_WRITE = "docs/stand-in.md quotes no such result. WRITE_CONFORMANCE=1 pytest tests/local/conformance writes it."

Compare = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def dsn(stack: Any) -> str:
    known = stack.redshift
    return psycopg.conninfo.make_conninfo(
        host=known["host"], port=known["port"], dbname=known["database"], user=known["user"], sslmode="disable"
    )


@pytest.fixture
def compare(stack: Any, dsn: str) -> Compare:
    """Run the command as a person does."""
    secrets = {"PGPASSWORD": stack.redshift["password"]}

    def command(*options: str, address: str = dsn) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "local.conformance", address, *options],
            cwd=PROJECT, env=os.environ | dict(stack.env) | secrets, capture_output=True, text=True, timeout=300,
        )  # fmt: skip

    return command


@pytest.fixture
def leftovers(stack: Any) -> Iterator[Callable[[], list[str]]]:
    """The schemas of comparisons that are there."""
    known = stack.redshift
    with psycopg.connect(
        host=known["host"], port=known["port"], dbname=known["database"], user=known["user"],
        password=known["password"], autocommit=True,
    ) as connection:  # fmt: skip
        found = "select nspname from pg_catalog.pg_namespace where nspname like 'conformance_%'"
        yield lambda: [name for (name,) in connection.execute(found)]


@pytest.fixture
def session(stack: Any, dsn: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("PGPASSWORD", stack.redshift["password"])
    with schema_of_our_own(dsn) as (connection, _):
        yield connection


def file_of(folder: Path, *statements: tuple[str, str]) -> str:
    listed = [{"name": sql, "sql": sql, "expect": expect} for sql, expect in statements]
    file = folder / "statements.json"
    file.write_text(json.dumps({"statements": listed}))
    return str(file)


@pytest.mark.story
def test_the_stand_in_gives_every_answer_and_nothing_is_left(
    compare: Compare, leftovers: Callable[[], list[str]], stack: Any, tmp_path: Path
) -> None:
    result = tmp_path / "result.md"
    ran = compare("--bucket", stack.bucket, "--iam-role", "default", "--result", str(result))
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout
    counts = result.read_text().partition("\n\n")[2]
    assert f"| statements | {len(read(STATEMENTS))} | 0 | 0 |" in counts
    assert f"| COPY | {len(read(LOAD))} | 0 | 0 |" in counts
    assert f"| the package's queries | {len(explained.statements('x'))} | 0 | 0 |" in counts
    assert "| a week | 3 | 0 | 0 |" in counts
    if os.environ.get("WRITE_CONFORMANCE"):
        before, _, rest = QUOTING.read_text().partition(BEGIN)
        QUOTING.write_text(f"{before}{BEGIN}\n\n{result.read_text()}\n{END}{rest.partition(END)[2]}")
    assert leftovers() == []
    assert "Contents" not in stack.s3.list_objects_v2(Bucket=stack.bucket, Prefix="conformance/")


def quoted() -> str:
    """What docs/stand-in.md quotes of a result: a line with the day and the server, then the counts."""
    return QUOTING.read_text().partition(BEGIN)[2].partition(END)[0].strip()


def test_the_page_quotes_a_day_a_server_and_each_part() -> None:
    told, _, counts = quoted().partition("\n\n")
    assert re.fullmatch(r"\d{1,2} \w+ 20\d\d, .*\(stand-in\):", told), HOW_TO_WRITE
    parts = re.findall(r"^\| ([a-zA-Z' ]+) \| [1-9]\d* \| 0 \| 0 \|$", counts, re.MULTILINE)
    assert parts == ["statements", "COPY", "the package's queries", "a week"], HOW_TO_WRITE


def test_without_a_bucket_what_loads_is_left_out_with_a_sentence(compare: Compare) -> None:
    ran = compare()
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "The load was left out: it needs --bucket and --iam-role." in ran.stdout
    assert f"{len(read(STATEMENTS)) + len(explained.statements('x'))} right, 0 refused, 0 wrong" in ran.stdout


@pytest.mark.story
def test_of_serverless_no_view_is_asked_for_that_only_clusters_have(compare: Compare, stack: Any) -> None:
    of_a_cluster = [one for one in read(STATEMENTS) if "stl_" in one.sql]
    assert of_a_cluster
    ran = compare("--serverless", "--bucket", stack.bucket, "--iam-role", "default")
    assert ran.returncode == 0, ran.stdout
    right = len(read(STATEMENTS)) - len(of_a_cluster) + len(read(LOAD)) + len(explained.statements("x")) + 4
    assert f"{right} right, 0 refused, 0 wrong" in ran.stdout


def test_every_file_of_sql_is_explained_or_run() -> None:
    told = " ".join(one.name for one in explained.statements("x"))
    # A queue's file is known by the table that follows.
    others = ("macros", "migrations", "keys", "queue")
    files = {file.relative_to(explained.SQL) for file in explained.SQL.rglob("*.sql")}
    assert [str(file) for file in files if file.parts[0] not in others and str(file) not in told] == []
    for table in STAR:
        assert f"explain the keys of {table.name}" in told
    for source in STAGING:
        for follower in source.followers:
            assert f"explain the queue of {follower.table.name} of {source.name}" in told


@pytest.mark.story
def test_a_week_that_does_not_load_or_differs_is_wrong(dsn: str, stack: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", stack.redshift["password"])
    for name, value in stack.env.items():
        monkeypatch.setenv(name, value)
    with schema_of_our_own(dsn) as (connection, schema):
        connection.cursor().execute("create table staging_events (artist integer)")
        found = week.outcomes(arguments(dsn), schema, stack.bucket, "default", "", serverless=True)
    verdicts = {one.statement.name: (one.verdict, one.got) for one in found}
    assert verdicts[week.LOAD][0] == WRONG
    assert verdicts[week.COMPARE][0] == WRONG
    assert verdicts[week.VIEWS] == (RIGHT, "none")


def test_the_address_may_come_by_the_environment(
    compare: Compare, dsn: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CONFORMANCE_DSN", dsn)
    ran = compare("--statements", file_of(tmp_path, ("select 1", "1")), address="")
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_wrong_answer_is_shown_and_is_exit_code_1(compare: Compare, tmp_path: Path) -> None:
    ran = compare(
        "--statements", file_of(tmp_path, ("select 1", "2"), ("select 3", "3"), ("create index i on x", "ok"))
    )
    assert ran.returncode == 1
    assert "1 right, 1 refused, 1 wrong" in ran.stdout
    assert "select 1" in ran.stdout
    assert "select 3" not in ran.stdout


def test_the_schema_is_dropped_when_the_session_breaks(
    compare: Compare, leftovers: Callable[[], list[str]], tmp_path: Path
) -> None:
    file = file_of(tmp_path, ("create table x (a int)", "ok"), ("select pg_terminate_backend(pg_backend_pid())", "ok"))
    ran = compare("--statements", file)
    assert ran.returncode == 2
    assert ran.stderr.startswith("The comparison ended early: ")
    assert leftovers() == []


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("redshift://user:secret@127.0.0.1:1/dev?sslmode=disable", "127.0.0.1:1 did not let user user in: "),
        ("host=127.0.0.1 password=secret user=x", "The address is not one of a Redshift. Use redshift://USER:PASSWORD"),
        ("host=127.0.0.1 password=secret nonsense=1", "The address is not one of a Redshift."),
        ("redshift://user:secret@host:port/dev", "The address is not one of a Redshift."),
    ],
)
def test_an_address_that_leads_nowhere_is_a_sentence_without_the_password(
    compare: Compare, address: str, sentence: str
) -> None:
    ran = compare(address=address)
    assert ran.returncode == 2
    assert ran.stderr.startswith(sentence)
    assert "secret" not in ran.stdout + ran.stderr


def test_a_wrong_password_is_not_shown(compare: Compare, dsn: str) -> None:
    ran = compare(address=f"{dsn} password=not-the-secret")
    assert ran.returncode == 2
    assert "password authentication failed" in ran.stderr
    assert "not-the-secret" not in ran.stdout + ran.stderr


def test_a_file_that_is_none_of_conformance_is_a_sentence(compare: Compare, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("{}")
    ran = compare("--statements", str(tmp_path / "x"))
    assert ran.returncode == 2
    assert "is not a conformance file" in ran.stderr


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("redshift://me:p%40ss@cluster.example:5439/dev",
         {"host": "cluster.example", "port": 5439, "user": "me", "password": "p@ss", "database": "dev", "ssl": True,
          "sslmode": "verify-ca"}),
        ("redshift://me:x@cluster.example/dev?sslmode=verify-full",
         {"host": "cluster.example", "port": 5439, "user": "me", "password": "x", "database": "dev", "ssl": True,
          "sslmode": "verify-full"}),
        ("host=h dbname=d user=u password='a b' sslmode=disable",
         {"host": "h", "port": 5439, "user": "u", "password": "a b", "database": "d", "ssl": False}),
        ("postgresql://u:x@h:1234/d",
         {"host": "h", "port": 1234, "user": "u", "password": "x", "database": "d", "ssl": True,
          "sslmode": "verify-ca"}),
    ],
)  # fmt: skip
def test_an_address_becomes_the_drivers_arguments(address: str, expected: dict[str, object]) -> None:
    assert arguments(address) == expected | {"application_name": "sparkify conformance"}


def test_an_address_without_a_host_is_refused() -> None:
    with pytest.raises(LocalStackError, match="not one of a Redshift"):
        arguments("redshift:///dev")


@pytest.mark.parametrize(
    ("sql", "expect", "verdict"),
    [
        ("select 1.50::decimal(9, 2), 'a'", "1.5|a", RIGHT),
        ("select 1.50::decimal(9, 2), 'a'", "1.5", WRONG),
        ("select 1 union all select 2", "1", WRONG),
        ("select null, '1.0'", "None|1", RIGHT),
        ("select 1 where 1 = 0", "", RIGHT),
        ("select 1", "ok", RIGHT),
        ("select 1", "error", WRONG),
        ("select 1/0", "error", RIGHT),
        ("select 1/0", "ok", WRONG),
        ("select no_such_function(1)", "1", REFUSED),
    ],
)
def test_an_answer_is_judged(session: Any, sql: str, expect: str, verdict: str) -> None:
    (outcome,) = run(session, [Statement(sql, sql, expect)], may_refuse=True)
    assert outcome.verdict == verdict, outcome.got


def test_what_rests_on_a_refused_statement_is_refused_with_it(session: Any) -> None:
    statements = [
        Statement("make", "create table x (a super)", "ok"),
        Statement("make another", "create table y (a int)", "ok"),
        Statement("fill", "insert into x values (1)", "ok"),
        Statement("read", "select count(*) from y join x on x.a = y.a", "1"),
        Statement("read the other", "select count(*) from y", "1"),
    ]
    assert [outcome.verdict for outcome in run(session, statements, may_refuse=True)] == [
        REFUSED, RIGHT, REFUSED, REFUSED, WRONG,
    ]  # fmt: skip


def test_our_own_statements_may_not_be_refused(session: Any) -> None:
    (outcome,) = run(session, [Statement("", "create index i on x (a)", "ok")])
    assert outcome.verdict == WRONG


def test_our_statements_hold_every_form_and_construct_that_the_package_emits() -> None:
    values = {"url": "s3://bucket", "role": "default", "region": "region 'us-west-2'"}
    held = {"set search_path"}  # by which the command finds its schema
    for statement in (*read(STATEMENTS), *read(LOAD, values)):
        if statement.expect != "error":
            form, constructs = shape(statement.sql)
            held |= {form, *constructs}
    assert sorted(listed().keys() - held) == []


def test_every_statement_of_ours_names_its_page() -> None:
    for file in (STATEMENTS, LOAD):
        listed: Sequence[dict[str, str]] = json.loads(file.read_text())["statements"]
        pages = [one["page"] for one in listed]
        assert all(page.startswith("https://docs.aws.amazon.com/redshift/latest/dg/") for page in pages)
        names = [one["name"] for one in listed]
        assert len(names) == len(set(names)), "a difference is told by the statement's name"


if PUBLISHED.is_file():

    def test_no_statement_of_the_published_file_is_answered_wrongly(session: Any) -> None:
        outcomes = list(run(session, read(PUBLISHED), may_refuse=True))
        wrong = [f"{one.statement.name}: {one.got!r}, not {one.statement.expect!r}" for one in outcomes
                 if one.verdict == WRONG]  # fmt: skip
        assert wrong == []
        assert sum(one.verdict == RIGHT for one in outcomes) >= 60
