"""A run that loads the same dates, or others, at the same moment breaks no check; what is not on its way is judged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from sparkify.tables import STAR
from tests.examples import Raw, event, play, song
from tests.include.faults import DAY, LATER, Sound, checked, key, lines, noon, sound_events, visit
from tests.pipeline import Pipeline

BEFORE = DAY - timedelta(days=1)
DIMENSIONS = [table.name for table in STAR if not table.partition]


def delivered_anew() -> list[Raw]:
    """The date's file once more, of which everything has changed that can: what comes, goes, and is another thing."""
    events = sound_events(DAY)
    other_page, *plays = events[1:20]
    return [
        *plays,
        other_page | {"page": "Home"},
        play(ts=noon(DAY) + 60_000, itemInSession=60, sessionId=700),
        play(userId="20", sessionId=720, ts=noon(DAY) + 61_000),
        event(userId="21", sessionId=721, ts=noon(DAY), level="paid"),
        visit(itemInSession=2, ts=noon(DAY) + 90_000, level="paid"),
    ]


def seen_the_day_before() -> list[Raw]:
    """The same events in the file of a date before, which counts; most are of another page and another level."""
    events = [one | {"page": "NextSong" if one["page"] == "Home" else "Home"} for one in sound_events(DAY)[4:]]
    return [one | {"level": "paid"} if one["userId"] == "8" else one for one in events]


def catalogue_anew() -> dict[str, bytes]:
    """One song comes in the place of another, by another artist of the same name; one is gone."""
    return {
        "song_data/A/A/A/TR1.json": json.dumps(song("SO5", artist_id="AR5")).encode(),
        "song_data/A/A/A/TR2.json": json.dumps(song("SO6", artist_id="AR6", title="Other")).encode(),
    }


OTHERS = {
    "the same date": ((DAY, DAY), {DAY: delivered_anew}),
    "a range": ((DAY, LATER), {DAY: delivered_anew}),
    "the date before": ((BEFORE, BEFORE), {BEFORE: seen_the_day_before}),
}
# A number is which run: 1 is that of the new files, 2 one of a date that nothing has to do with it.
ALONE = [(1, task) for task in ("stage_events", "stage_songs", "songplays", *DIMENSIONS)]
WITH_A_THIRD = [
    *((1, task) for task in ("stage_songs", "stage_events")),
    *((2, task) for task in ("songplays", *DIMENSIONS)),
    *((1, task) for task in ("songplays", *reversed(DIMENSIONS))),
]


class Beside:
    """A run whose tasks are executed when a test says so."""

    def __init__(self, pipeline: Pipeline, first: date, last: date) -> None:
        self._tasks = {task.task_id: (task, context) for task, context in pipeline.tasks(first, last)}

    def do(self, task_id: str) -> None:
        """Execute one of its tasks."""
        task, context = self._tasks[task_id]
        task.execute(context)


def broken(pipeline: Pipeline) -> list[str]:
    """What the date's run now finds in the warehouse."""
    return [str(result) for result in checked(pipeline, only=("check_warehouse",)) if not result.passed]


def false_alarms(pipeline: Pipeline) -> list[str]:
    """The same, but for the warning that another run is under way."""
    return [told for told in broken(pipeline) if not told.startswith("load_history.date_is_settled (warn)")]


@pytest.mark.parametrize("order", [ALONE, WITH_A_THIRD], ids=["alone", "with a third"])
@pytest.mark.parametrize("other", OTHERS)
def test_at_no_moment_of_another_run_a_check_breaks(sound: Sound, other: str, order: Sequence[tuple[int, str]]) -> None:
    pipeline, (dates, files) = sound.pipeline, OTHERS[other]
    pipeline.put({key(log_date): lines(events()) for log_date, events in files.items()} | catalogue_anew())
    beside = {1: Beside(pipeline, *dates), 2: Beside(pipeline, LATER, LATER)}
    alarms = {}
    for number, task in order:
        beside[number].do(task)
        if told := false_alarms(pipeline):
            alarms[number, task] = told
    assert alarms == {}
    assert broken(pipeline) == []


def test_while_another_run_is_under_way_what_is_not_its_is_judged(sound: Sound) -> None:
    pipeline = sound.pipeline
    pipeline.put({key(BEFORE): lines(seen_the_day_before())})
    Beside(pipeline, BEFORE, BEFORE).do("stage_events")
    pipeline.execute(f"delete from songplays where start_time = '{DAY} 12:00:02'")
    pipeline.execute(f"delete from time where start_time = '{DAY} 12:00:03'")
    pipeline.execute("delete from users where user_id = 7")
    assert {told.partition(" ")[0] for told in broken(pipeline)} == {
        "songplays.play_is_loaded_once",
        "songplays.start_time_is_in_time",
        "songplays.user_is_in_users",
    }


def test_the_warning_names_the_run_that_is_to_judge(sound: Sound) -> None:
    pipeline = sound.pipeline
    pipeline.put({key(DAY): lines(delivered_anew())})
    other = Beside(pipeline, DAY, DAY)
    other.do("stage_events")
    (told,) = broken(pipeline)
    assert told.startswith("load_history.date_is_settled (warn): 1 row(s)")
    assert f"run_id=test__{pipeline.run_number - 1}" in told


def test_a_run_that_failed_before_the_date_was_loaded_again_excuses_nothing(sound: Sound) -> None:
    pipeline = sound.pipeline
    Beside(pipeline, DAY, DAY).do("stage_events")
    assert [result for result in checked(pipeline) if not result.passed] == []
    pipeline.execute(f"delete from songplays where start_time = '{DAY} 12:00:05'")
    (told,) = broken(pipeline)
    assert told.startswith("songplays.play_is_loaded_once (error): 1 row(s)")
