"""The questions of ``include/sql/analytics``: their answers are the reference's, on every kind of month."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import jinja2
import pytest

from local.ask import SQL, questions
from local.reference import Tables, read_log_files, read_song_files, star_schema
from local.reference.analytics import ANSWERS
from local.reference.user_agents import browser, platform
from tests.examples import AT, event, play, song
from tests.local.simulator.recipes import SMALL
from tests.local.simulator.recipes import files as simulated
from tests.month import month
from tests.pipeline import WRITING, Pipeline
from tests.user_agents import USER_AGENTS

DAY = 86_400_000
FIRST_MIDNIGHT = AT - AT % DAY


def traps() -> dict[str, bytes]:
    """A month of a few events, of which each asks for a mistake."""
    days: dict[str, list[dict[str, Any]]] = {
        "2018-11-01": [
            # Delivered again a day later with another song, by another level: this one counts.
            play(sessionId=1),
            # Before the last seven days begin, by a millisecond; and in their first one.
            *(play(sessionId=2, itemInSession=n, ts=FIRST_MIDNIGHT + DAY - 1) for n in range(3)),
            play(sessionId=2, itemInSession=3, ts=FIRST_MIDNIGHT + DAY),
            # Nobody, no time, no number; a song without artist, an artist without song; blanks.
            play(sessionId=3, userId=None, level=None),
            play(sessionId=3, ts=None),
            play(sessionId=3, itemInSession=None),
            play(sessionId=4, artist=None),
            play(sessionId=5, song=None),
            play(sessionId=6, song="Jóga  ", artist="Björk "),
            play(sessionId=7, song="  ", artist="", location=" ", userAgent=None),
            # Not of the catalogue by its length alone.
            play(sessionId=8, length=305.50001),
            # Of another century, and of the day before the first log date.
            play(sessionId=9, ts=946_684_800_000),
            play(sessionId=9, ts=FIRST_MIDNIGHT - 1),
        ],
        "2018-11-02": [
            play(sessionId=1, song="Stronger", artist="Kanye West", level="paid"),
            # Twelve songs, artists and places at a tie.
            *(
                play(sessionId=20, itemInSession=n, ts=AT + DAY + n, song=f"S{n}", artist=f"a{n}", location=f"L{n}")
                for n in range(12)
            ),
            # A level that changes within a millisecond, one that is not known, and one of another user.
            event(userId="8", gender="M", sessionId=21, itemInSession=1, ts=AT + DAY, level="paid"),
            event(userId="8", gender="M", sessionId=21, itemInSession=0, ts=AT + DAY, level="free"),
            event(userId="8", gender="M", sessionId=21, itemInSession=2, ts=AT + DAY + 60_000, level="trial"),
            event(userId="9", gender=None, sessionId=21, itemInSession=0, ts=AT + DAY + 90_000, level="free"),
            play(userId="9", gender=None, sessionId=21, itemInSession=1, ts=AT + DAY + 1_890_000, level="free"),
        ],
        "2018-11-08": [
            play(sessionId=30, ts=FIRST_MIDNIGHT + 8 * DAY - 1, userId="8", level="free", gender="M"),
            *(
                play(sessionId=31, itemInSession=n, ts=FIRST_MIDNIGHT + 7 * DAY + n, userAgent=agent)
                for n, agent in enumerate(USER_AGENTS)
            ),
            # Of the day after the last log date, and of the last that may be; a level changes on it.
            play(sessionId=32, ts=FIRST_MIDNIGHT + 8 * DAY),
            play(sessionId=32, ts=4_102_444_799_999, userId="9", level="paid"),
        ],
    }
    files = {
        f"log_data/2018/11/{day}-events.json": "\n".join(map(json.dumps, events)).encode()
        for day, events in days.items()
    }
    return files | {"song_data/A/A/A/TRA.json": json.dumps(song("SO1")).encode()}


MONTHS = ("the month at hand", "a generated one", "one of traps")


@dataclass(frozen=True)
class Loaded:
    """A schema that the DAG loaded, and the tables that the reference makes of the same files."""

    pipeline: Pipeline
    expected: Tables

    def answer(self, name: str) -> list[tuple[Any, ...]]:
        return self.pipeline.rows(questions()[name].sql)


@pytest.fixture(scope="module", params=MONTHS)
def loaded(request: pytest.FixtureRequest, stack: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    files = {
        "the month at hand": lambda: month().files,
        "a generated one": lambda: simulated(tmp_path_factory.mktemp("generated") / "files", SMALL),
        "one of traps": traps,
    }[request.param]()
    events = read_log_files(files)
    with pytest.MonkeyPatch.context() as patch:
        pipeline = Pipeline(stack, patch.setenv)
        pipeline.put(files)
        pipeline.run(min(events), max(events), only=WRITING, missing_file="skip")
        yield Loaded(pipeline, star_schema(events, read_song_files(files)))
        pipeline.drop()


def test_every_question_has_an_answer_of_the_reference() -> None:
    assert questions().keys() == ANSWERS.keys()


@pytest.mark.parametrize("name", ANSWERS)
def test_the_answer_is_the_references_in_its_order(name: str, loaded: Loaded) -> None:
    expected = ANSWERS[name](loaded.expected)
    assert expected
    found = loaded.answer(name)
    assert [row[0] for row in found] == [row[0] for row in expected]
    # Redshift, PostgreSQL and Python may differ in a fraction's last digit.
    assert found == [
        tuple(pytest.approx(value) if isinstance(value, float) else value for value in row) for row in expected
    ]


def test_no_browser_of_the_month_at_hand_is_unknown_to_the_reference() -> None:
    agents = {play.user_agent for play in star_schema(read_log_files(month().files), []).songplays}
    assert {agent: platform(agent) for agent in agents if platform(agent) in ("other", "unknown")} == {}


@pytest.mark.parametrize(("agent", "expected"), USER_AGENTS.items())
def test_the_reference_knows_a_browser_and_its_platform(agent: str | None, expected: tuple[str, str]) -> None:
    assert (browser(agent), platform(agent)) == expected


@pytest.fixture(scope="module")
def session(stack: Any) -> Iterator[Any]:
    """A session of the package's in which a macro can be tried."""
    with pytest.MonkeyPatch.context() as patch:
        pipeline = Pipeline(stack, patch.setenv)
        pipeline.run(dag_id="sparkify_schema")
        with pipeline.session() as warehouse:
            yield warehouse
        pipeline.drop()


def test_the_warehouse_knows_every_browser_and_its_platform(session: Any) -> None:
    macros = jinja2.Environment(loader=jinja2.FileSystemLoader(SQL), autoescape=False).get_template(
        "macros/user_agents.sql"
    ).module  # fmt: skip
    session.execute("create temp table agents (agent varchar(1024))")
    session.execute(f"insert into agents (agent) values {', '.join(['(%s)'] * len(USER_AGENTS))}", list(USER_AGENTS))
    columns = f"agent, {macros.browser('agent')}, {macros.platform('agent')}"  # type: ignore[attr-defined]
    assert {agent: (name, system) for agent, name, system in session.rows(f"select {columns} from agents")} == (
        USER_AGENTS
    )


def test_every_question_ends_with_a_question_mark_and_bars_a_column_of_its_answer(session: Any) -> None:
    for question in questions().values():
        assert question.words.endswith("?"), question.name
        assert question.bar in session.columns(f"({question.sql}) as answer"), question.name


def test_nothing_is_the_answer_where_there_is_nothing(session: Any) -> None:
    assert [name for name, question in questions().items() if session.rows(question.sql)] == []


def test_the_analytics_folder_holds_nothing_but_questions() -> None:
    assert {path.name for path in Path(SQL / "analytics").iterdir()} == {f"{name}.sql" for name in ANSWERS}


def test_days_that_no_loaded_log_date_reaches_are_in_no_answer(session: Any) -> None:
    tables = star_schema(read_log_files(traps()), [])
    assert max(row.start_time for row in tables.time).year == 2099
    for name in ("plays_by_day", "level_changes"):
        days = [row[0] for row in ANSWERS[name](tables)]
        assert days
        assert date(2018, 11, 1) <= min(days) <= max(days) <= date(2018, 11, 8), name


def test_the_last_seven_days_are_those_up_to_the_latest_play() -> None:
    tables = star_schema(read_log_files(traps()), [])
    first = min(row[0] for row in ANSWERS["busiest_hours"](tables))
    assert first.date() == date(2018, 11, 2)
