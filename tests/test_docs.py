"""The pages say what is true of the code."""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path

import pytest

from local.ask import questions
from sparkify.tables import STAR
from tests.include.test_sql import render

PROJECT = Path(__file__).resolve().parents[1]
DATA_MODEL = PROJECT / "docs" / "data-model.md"
CREATED = re.compile(r"create table if not exists (\w+) \(\n(.*?)\n\)", re.DOTALL)
COLUMN = re.compile(r"^ {4}(\w+) ((?:\w| precision|\(\d+(?:, \d+)?\))+)", re.MULTILINE)


def created_tables() -> dict[str, dict[str, str]]:
    """The columns and their types of every table that is read, by table."""
    tables: dict[str, dict[str, str]] = {}
    for file in sorted((PROJECT / "include" / "sql" / "schema").glob("*.sql")):
        for table, body in CREATED.findall(file.read_text()):
            columns = (line for line in body.splitlines() if "primary key" not in line)
            tables[table] = {name: kind.removesuffix(" not null") for name, kind in COLUMN.findall("\n".join(columns))}
    queues: dict[str, dict[str, str]] = {table.queue_name: {"log_date": "date", **table.queue} for table in STAR}
    return tables | queues


def described_tables() -> dict[str, dict[str, str]]:
    """What docs/data-model.md says of them."""
    described: dict[str, dict[str, str]] = {}
    table = ""
    for line in DATA_MODEL.read_text().splitlines():
        if heading := re.fullmatch(r"#+ (.*)", line):
            table = heading[1]
        elif row := re.match(r"\| (?:(\w+_queue) \| )?`(\w+)` \| ([^|]+) \|", line):
            described.setdefault(row[1] or table, {})[row[2]] = row[3]
    return described


def write_tables() -> None:
    """Add the tables and columns that the page lacks. What a column means is left to write, beside its name."""
    lines, table = DATA_MODEL.read_text().splitlines(), ""
    described = described_tables()
    for star in STAR:
        if star.name not in described:
            section = [f"## {star.name}", "", star.about, "", "| column | type | what | example |", "|---|---|---|---|"]
            at = lines.index("## songplays_wide")
            lines[at:at] = [*section, ""]
    for table, columns in created_tables().items():
        is_queue = table.endswith("_queue")
        at = lines.index("## The queues" if is_queue else f"## {table}" if f"## {table}" in lines else f"### {table}")
        # Behind the header of the table, or behind the queues that stand there.
        at = next(number for number in range(at, len(lines)) if lines[number].startswith("|---")) + 1
        for column, kind in columns.items():
            if column not in described.get(table, {}):
                while is_queue and lines[at : at + 1] > [""]:
                    at += 1
                first = f"| {table} " if is_queue else ""
                lines.insert(at, f"{first}| `{column}` | {kind} | |{'' if is_queue else ' |'}")
            at += 1
    DATA_MODEL.write_text("\n".join([*lines, ""]))


@pytest.fixture(scope="module", autouse=True)
def _written() -> None:
    if os.environ.get("WRITE_TABLES"):
        write_tables()


TOLD_HOW = "docs/data-model.md says otherwise. To add what it lacks: WRITE_TABLES=1 pytest tests/test_docs.py"


@pytest.mark.parametrize("table", created_tables())
def test_the_data_model_page_describes_every_column(table: str) -> None:
    assert list(described_tables().get(table, {}).items()) == list(created_tables()[table].items()), TOLD_HOW


def test_the_data_model_page_describes_no_other_table() -> None:
    assert described_tables().keys() == created_tables().keys(), TOLD_HOW


@pytest.mark.parametrize(
    "view", sorted((PROJECT / "include" / "sql" / "schema" / "views").glob("*.sql")), ids=lambda view: view.stem
)
def test_the_data_model_page_describes_every_column_of_a_view(view: Path) -> None:
    section = DATA_MODEL.read_text().partition(f"\n## {view.stem}\n")[2].partition("\n## ")[0]
    sql = render(str(view.relative_to(PROJECT / "include" / "sql")))
    listed = sql.partition("\nselect\n")[2].partition("\nfrom ")[0]
    columns = re.findall(r"\b(?!case$)(\w+),?$", listed, re.MULTILINE)
    assert len(columns) > 20
    named = set(re.findall(r"`(\w+)`", section))
    assert [column for column in columns if column not in named and not column.isdigit()] == []


def test_the_data_model_page_names_only_questions_that_there_are() -> None:
    section = DATA_MODEL.read_text().partition("\n## The questions\n")[2].partition("\n## ")[0]
    listed = re.findall(r"^\* (`.*?`): ", section, re.MULTILINE)
    named = {name for names in listed for name in re.findall(r"`(\w+)`", names)}
    assert named
    assert named <= questions().keys()


SENTENCES = ("SettingsError", "DataError", "Unavailable")
WORDS = 3
FAILURES = re.compile(r"^\| ([^|]+) \|", re.MULTILINE)


def triples(text: str) -> set[tuple[str, ...]]:
    """Every three words that follow each other in what is fixed of a sentence."""
    words = re.findall(r"[\w.']*\w", text)
    return {tuple(words[at : at + WORDS]) for at in range(len(words) - WORDS + 1)}


def raised_sentences() -> list[tuple[str, set[tuple[str, ...]]]]:
    """Where an operator or what it uses raises a sentence of its own, and the words of it that are always the same."""
    package = PROJECT / "plugins" / "sparkify"
    found = []
    # What is wrong with a check's file begins with its name, and is one row: `Check …: …`.
    files = {*(package / "loading").glob("*.py"), *(package / "operators").glob("*.py")} - {
        package / "loading/checks.py"
    }
    for file in sorted(files):
        for call in ast.walk(ast.parse(file.read_text())):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in SENTENCES):
                continue
            texts = [part.value for part in ast.walk(call.args[0]) if isinstance(part, ast.Constant)]
            words = {words for text in texts if isinstance(text, str) for words in triples(text)}
            if words:
                found.append((f"{file.name}:{call.lineno}", words))
    return found


def test_operations_names_every_failure_of_a_load() -> None:
    page = (PROJECT / "docs" / "operations.md").read_text()
    table = page[page.index("| the log says |") :]
    named = set().union(*(triples(cell) for cell in FAILURES.findall(table[: table.index("\n\n")])))
    sentences = raised_sentences()
    assert len(sentences) > 50
    assert [where for where, words in sentences if not words & named] == []


PAGES = sorted([*PROJECT.glob("*.md"), *(PROJECT / "docs").glob("*.md")])
LINK = re.compile(r"\]\((?!https?://|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")


def anchors(page: Path) -> set[str]:
    """The fragments by which GitHub finds a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_to_a_file_and_a_heading_that_there_are(page: Path) -> None:
    for path, fragment in LINK.findall(re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)):
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name} links to {path}, which is not there"
        assert not fragment or fragment in anchors(target), f"{page.name} links to {path}#{fragment}: no such heading"


def test_the_index_names_every_page_once() -> None:
    docs = PROJECT / "docs"
    linked = re.findall(r"\]\(([\w-]+\.md)\)", (docs / "index.md").read_text())
    assert sorted(linked) == sorted(page.name for page in docs.glob("*.md") if page.name != "index.md")
