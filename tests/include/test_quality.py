"""Every check passes on sound data, and one fault breaks it and no other."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import jinja2
import pytest

from local.simulator import Recipe, generate
from sparkify.loading.checks import CheckResult, name_of
from sparkify.loading.exceptions import SettingsError
from sparkify.loading.log_dates import LogDates
from tests.examples import song
from tests.include.faults import (
    CHECKS,
    DAY,
    FAULTS,
    LATER,
    Fault,
    Sound,
    checked,
    documented,
    row,
    sound_events,
    visit,
    write,
)
from tests.made_schema import MadeSchema
from tests.month import month
from tests.pipeline import PROJECT, Pipeline

SQL = PROJECT / "include" / "sql"
NAMES = sorted(name_of(str(file)) for file in (SQL / "quality").rglob("*.sql"))


def test_every_check_has_its_fault() -> None:
    assert sorted(fault.check for fault in FAULTS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_sound_data_pass(name: str, loaded: Sound) -> None:
    (result,) = [result for result in loaded.results if result.check.name == name]
    assert result.passed, result


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.check)
def test_a_fault_breaks_its_check_alone_and_is_told_as_the_page_says(fault: Fault, sound: Sound) -> None:
    results = sound.results_of(fault)
    broken = [result for result in results if not result.passed]
    assert [result.check.name for result in broken] == [fault.check], "\n".join(map(str, broken))
    told = row(fault, broken[0], sound.pipeline.bucket)
    if os.environ.get("WRITE_FAULTS"):
        write(fault.check, told)
    assert documented().get(fault.check) == told, (
        "docs/operations.md says otherwise. To write it again: WRITE_FAULTS=1 pytest tests/include/test_quality.py"
    )


def test_the_page_tells_of_no_other_check() -> None:
    assert sorted(documented()) == NAMES


def test_what_others_have_staged_and_not_yet_loaded_breaks_no_check(sound: Sound) -> None:
    before, after = DAY - timedelta(days=1), DAY + timedelta(days=1)
    sound.pipeline.put_events(before, sound_events(DAY))
    sound.pipeline.put_events(after, [visit(after, level="paid"), *sound_events(DAY)])
    for log_date in (before, after):
        sound.pipeline.run(log_date, only=("stage_events",))
    assert [str(result) for result in checked(sound.pipeline, only=("check_warehouse",)) if not result.passed] == []


def test_loading_the_dates_again_repairs_what_somebody_changed(sound: Sound) -> None:
    for fault in FAULTS:
        for statement in fault.statements:
            sound.pipeline.execute(statement)
    # No log date brings these: their keys are queued by hand, as docs/operations.md says.
    sound.pipeline.execute("insert into songs_queue (song_id) select song_id from songs")
    sound.pipeline.execute("insert into artists_queue (artist_id) select artist_id from artists")
    sound.pipeline.run(DAY, LATER)
    assert [str(result) for result in checked(sound.pipeline, only=CHECKS, checks="all") if not result.passed] == []


OF_THE_CATALOGUE = {
    *("songs.id_is_unique", "songs.duration_is_positive", "songs.required_columns_are_set"),
    *("artists.id_is_unique", "artists.name_is_set"),
    *("staging_songs.song_is_complete", "staging_songs.song_is_delivered_once"),
}
TWICE = "insert into songs select * from songs where song_id = 'SO2'"


def ran(results: list[CheckResult]) -> set[str]:
    """The checks of the catalogue that ran."""
    return {result.check.name for result in results} & OF_THE_CATALOGUE


def broke(results: list[CheckResult]) -> set[str]:
    return {result.check.name for result in results if not result.passed}


def test_a_check_of_a_whole_table_is_left_out_where_the_table_was_not_written_since_it_passed(
    sound: Sound, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded = "select count(*) from data_quality_results where check_name = 'songs.id_is_unique'"
    before = sound.pipeline.rows(recorded)
    assert ran(checked(sound.pipeline)) == set()
    assert sound.pipeline.rows(recorded) == before, "a check that did not run has no result"
    said = capsys.readouterr().out
    assert "Left out, since the table was not written after they passed: artists.id_is_unique, artists.name" in said
    assert ran(checked(sound.pipeline, checks="all")) == OF_THE_CATALOGUE


def test_a_run_that_writes_the_table_finds_what_is_wrong_in_it_and_so_does_each_run_until_it_is_repaired(
    sound: Sound,
) -> None:
    sound.pipeline.execute(TWICE)
    assert broke(checked(sound.pipeline)) == set()
    sound.pipeline.put({"song_data/A/A/A/TR5.json": json.dumps(song("SO5", title="Hunter")).encode()})
    results = checked(sound.pipeline)
    assert (ran(results), broke(results)) == (OF_THE_CATALOGUE, {"songs.id_is_unique"})
    results = checked(sound.pipeline)
    assert (ran(results), broke(results)) == ({"songs.id_is_unique"}, {"songs.id_is_unique"})
    sound.pipeline.execute("insert into songs_queue (song_id) values ('SO2')")
    results = checked(sound.pipeline)
    assert broke(results) == set()
    assert {"songs.id_is_unique", "songs.duration_is_positive"} <= ran(results)
    assert ran(checked(sound.pipeline)) == set()


def test_what_a_run_wrote_and_never_checked_the_next_run_checks(sound: Sound) -> None:
    sound.pipeline.put({"song_data/A/A/A/TR5.json": json.dumps(song("SO5", title="Hunter")).encode()})
    sound.pipeline.run(DAY, only=("stage_songs", "songs"))
    sound.pipeline.execute(TWICE)
    assert broke(checked(sound.pipeline, only=CHECKS)) == {"songs.id_is_unique"}


def test_a_check_that_has_not_run_for_a_week_is_due(sound: Sound) -> None:
    sound.pipeline.execute("update data_quality_results set checked_at = dateadd(day, -8, checked_at)")
    assert ran(checked(sound.pipeline, only=CHECKS)) == OF_THE_CATALOGUE


def test_other_words_for_which_checks_to_run_are_refused(sound: Sound) -> None:
    with pytest.raises(SettingsError, match=r"checks='none' is unknown\. Use one of due, all"):
        checked(sound.pipeline, only=CHECKS, checks="none")


@pytest.fixture(scope="module")
def schema(stack: Any) -> Iterator[MadeSchema]:
    with pytest.MonkeyPatch.context() as patch:
        pipeline = Pipeline(stack, patch.setenv)
        yield pipeline.make()
        pipeline.drop()


@pytest.fixture
def pipeline(stack: Any, schema: MadeSchema, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    made = Pipeline(stack, monkeypatch.setenv, schema)
    yield made
    made.empty()


def broken(pushed: dict[str, Any]) -> set[str]:
    """The checks that did not pass, of a run's XComs."""
    return {name for task in CHECKS for name, offending in pushed[task].items() if offending != 0}


def test_an_empty_day_and_a_date_that_is_skipped_pass(pipeline: Pipeline) -> None:
    pipeline.put_events(DAY, [])
    assert broken(pipeline.run(DAY)) == set()
    assert broken(pipeline.run(LATER, missing_file="skip")) == set()
    pipeline.put_events(DAY, sound_events(DAY))
    assert broken(pipeline.run(DAY, LATER, missing_file="skip")) == set()


def test_a_real_month_breaks_no_error_and_knows_all_its_values(pipeline: Pipeline) -> None:
    delivered = month()
    pipeline.put(delivered.files)
    assert broken(pipeline.run(delivered.first, delivered.last)) <= {"staging_events.volume_is_usual"}


@pytest.mark.story
def test_generated_days_pass(pipeline: Pipeline, tmp_path: Path) -> None:
    recipe = Recipe(start=DAY, days=2, events_per_day=2000, songs=100, seed=1)
    generate(tmp_path / "files", recipe, False, lambda _done, _total: None)
    folder = tmp_path / "files"
    pipeline.put(
        {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*.json*") if file.parent != folder}
    )
    for log_date in (DAY, LATER):
        assert broken(pipeline.run(log_date)) == set()


@pytest.mark.parametrize(
    ("weeks", "lines_read", "breaks"),
    [
        ((10, 10), 100, False),
        ((10, 10, 10), 21, True),
        ((10, 10, 10), 20, False),
        ((10, 10, 10), 5, False),
        ((10, 10, 10), 4, True),
        ((10, 10, 10), 0, True),
        ((1, 10, 1000), 20, False),
        ((1, 10, 10, 1000), 21, True),
        ((10, 10, None, None, None, None, None, None, 10), 100, False),
        ((10, 10, None, None, None, None, None, 10), 100, True),
    ],
)
def test_a_date_is_held_against_its_weekday_in_the_eight_weeks_before(
    pipeline: Pipeline, weeks: tuple[int | None, ...], lines_read: int, breaks: bool
) -> None:
    staged = {DAY: lines_read, DAY - timedelta(days=1): 5000, DAY + timedelta(weeks=1): 5000}
    for number, of_week in enumerate(weeks, start=1):
        if of_week is not None:
            staged[DAY - timedelta(weeks=number)] = of_week
    rows = ", ".join(f"('staging_events', '{log_date}', 1, {count})" for log_date, count in staged.items())
    pipeline.execute(f"insert into staged_dates (table_name, log_date, files, lines_read) values {rows}")
    text = (SQL / "quality" / "staging_events" / "volume_is_usual.sql").read_text()
    dates = LogDates(DAY, DAY)
    assert len(pipeline.rows(jinja2.Template(text).render(log_dates=dates))) == breaks
