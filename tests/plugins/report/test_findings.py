"""The sentence over a chart says what the rows say, on ordinary rows and at every edge."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from local.ask import questions
from sparkify.report.charts import CHARTS
from sparkify.report.findings import FINDINGS, finding_of
from tests.plugins.report.answers import ROWS, question


def level(name: str | None, plays: int) -> dict[str, Any]:
    return {"level": name, "gender": "F", "plays": plays, "listeners": 1}


def days(*plays: int) -> list[dict[str, Any]]:
    return [{"day": date(2018, 11, n), "plays": count, "active_users": n} for n, count in enumerate(plays, 1)]


def hours(*began: int) -> list[dict[str, Any]]:
    return [{"starts_at": datetime.fromisoformat(f"2018-11-01T0{hour}:00"), "plays": 3} for hour in began]


def test_every_question_has_its_sentence_and_its_chart() -> None:
    assert FINDINGS.keys() == CHARTS.keys() == questions().keys() == ROWS.keys()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("browsers", "Most listeners use Chrome on Windows: 25"),
        ("busiest_hours", "The busiest hour of the last seven days began on 29 November 2018, 17:00 UTC: 47 plays"),
        ("level_changes", "More users came to paid than left it: 2 upgrades, 1 downgrade"),
        ("match_rate", "1 of 6,820 plays (0.015%) is of a song in the catalogue"),
        ("plays_by_day", "Sunday 4 November 2018 was the busiest day: 300 plays, 1.5 times the average"),
        ("plays_by_hour", "Most songs are played from 17:00 to 18:00 UTC: 480, 16 times the average hour"),
        ("plays_by_level_and_gender", "Paid users played 4.5 times as many songs as free ones"),
        ("plays_by_weekday", "Most songs are played on Wednesdays: 1,364"),
        ("session_length", "The median session of paid users lasts 78 minutes, 6.5 times that of free ones"),
        ("top_artists", "Coldplay and Kings Of Leon are played most: 58 plays each"),
        ("top_locations", "The most songs are played from San Francisco-Oakland-Hayward, CA: 691, by 2 listeners"),
    ],
)
def test_the_sentence_says_what_stands_out(name: str, sentence: str) -> None:
    assert finding_of(question(name), ROWS[name]) == sentence


@pytest.mark.parametrize(
    ("name", "rows", "sentence"),
    [
        ("plays_by_day", days(11), "11 songs were played on Thursday 1 November 2018"),
        ("plays_by_day", days(1), "1 song was played on Thursday 1 November 2018"),
        ("plays_by_level_and_gender", [level("free", 3)], "Only free users played songs: 3"),
        ("plays_by_level_and_gender", [level("paid", 3), level("free", 0)], "Only paid users played songs: 3"),
        ("plays_by_level_and_gender", [level(None, 3)], "No play has a known level"),
        ("plays_by_level_and_gender", [level("paid", 2), level("free", 2)],
         "Paid and free users played as many songs: 2"),
        ("plays_by_level_and_gender", [level("paid", 2), level("free", 5)],
         "Free users played 2.5 times as many songs as paid ones"),
        ("plays_by_weekday", [{"weekday": day, "plays": 4} for day in
                              ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")],
         "Every day of the week has 4 plays"),
        ("level_changes", [{"day": date(2018, 11, 1), "upgrades": 1, "downgrades": 1}],
         "As many users left paid as came to it: 1 upgrade, 1 downgrade"),
        ("level_changes", [{"day": date(2018, 11, 1), "upgrades": 0, "downgrades": 2}],
         "More users left paid than came to it: 0 upgrades, 2 downgrades"),
        ("match_rate", [{"month": "2018-11", "plays": 9, "matched": 0}],
         "Not one of 9 plays is of a song in the catalogue"),
        ("match_rate", [{"month": "2018-11", "plays": 100_000, "matched": 99_999}],
         "99,999 of 100,000 plays (over 99.9%) are of a song in the catalogue"),
        ("session_length", [{"level": None, "median_minutes": None}],
         "The median session of unknown users lasts 0 minutes"),
        ("session_length", [{"level": "free", "median_minutes": 0.0}, {"level": "paid", "median_minutes": 1.0}],
         "The median session of paid users lasts 1 minute"),
        ("top_artists", [{"artist": name, "plays": 2} for name in "abcd"],
         "4 share the first place, with 2 plays each"),
        ("busiest_hours", hours(1, 2),
         "The busiest hours of the last seven days began on 1 November 2018, 01:00 UTC and on 1 November 2018, "
         "02:00 UTC: 3 plays each"),
        ("busiest_hours", hours(0, 1, 2, 3),
         "4 hours of the last seven days were the busiest, with 3 plays each"),
    ],
)  # fmt: skip
def test_at_its_edges_the_sentence_stays_true(name: str, rows: list[dict[str, Any]], sentence: str) -> None:
    assert finding_of(question(name), rows) == sentence


def test_a_question_nobody_wrote_a_sentence_for_stands_for_itself() -> None:
    assert finding_of(question("skips_by_song"), [{"song": "a", "plays": 1}]) == "What of skips_by_song?"
