"""Answers to every question, as the warehouse gives them, for tests that draw and write."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sparkify.report.contents import Answer, Report
from sparkify.report.questions import Question

FIRST = date(2018, 11, 1)
NASTY = "</title><script>alert(1)</script> & \"'\ufffd\u0085"

ROWS: dict[str, list[dict[str, Any]]] = {
    "browsers": [
        {"browser": "Chrome", "platform": "Windows", "users": 25, "plays": 900},
        {"browser": "Firefox", "platform": "Linux", "users": 2, "plays": 12},
    ],
    "busiest_hours": [
        {"starts_at": datetime.fromisoformat("2018-11-29T17:00"), "plays": 47, "listeners": 9},
        {"starts_at": datetime.fromisoformat("2018-11-24T12:00"), "plays": 42, "listeners": 7},
    ],
    "level_changes": [
        {"day": date(2018, 11, 8), "upgrades": 2, "downgrades": 0},
        {"day": date(2018, 11, 21), "upgrades": 0, "downgrades": 1},
    ],
    "match_rate": [{"month": "2018-11", "plays": 6820, "matched": 1, "matched_percent": 100 / 6820}],
    "most_played_songs": [
        {"title": NASTY, "artist": "Dwight Yoakam", "plays": 37, "matched": 0},
        {"title": "Undo", "artist": "Björk", "plays": 28, "matched": 0},
    ],
    "plays_by_day": [
        {"day": FIRST, "plays": 100, "active_users": 9},
        {"day": FIRST + timedelta(3), "plays": 300, "active_users": 20},
    ],
    "plays_by_hour": [{"hour": 16, "plays": 240}, {"hour": 17, "plays": 240 * 2}],
    "plays_by_level_and_gender": [
        {"level": "paid", "gender": "F", "plays": 4294, "listeners": 15},
        {"level": "paid", "gender": "M", "plays": 1297, "listeners": 7},
        {"level": "free", "gender": "M", "plays": 636, "listeners": 37},
        {"level": "free", "gender": "F", "plays": 593, "listeners": 45},
        {"level": None, "gender": None, "plays": 1, "listeners": 0},
    ],
    "plays_by_weekday": [{"weekday": "Wednesday", "plays": 1364}, {"weekday": "Sunday", "plays": 396}],
    "session_length": [
        {"level": "free", "sessions": 5, "median_minutes": 12.0, "mean_minutes": 20.5},
        {"level": "paid", "sessions": 9, "median_minutes": 78.0, "mean_minutes": 101.25},
    ],
    "top_artists": [
        {"artist": "Coldplay", "plays": 58, "listeners": 24},
        {"artist": "Kings Of Leon", "plays": 58, "listeners": 20},
    ],
    "top_locations": [{"location": "San Francisco-Oakland-Hayward, CA", "plays": 691, "listeners": 2}],
}
BARS = {"browsers": "users", "level_changes": "upgrades", "match_rate": "matched_percent",
        "session_length": "median_minutes"}  # fmt: skip


def question(name: str) -> Question:
    return Question(name, f"What of {name}?", "Counted so.", BARS.get(name, "plays"), "select 1")


def report(rows: dict[str, list[dict[str, Any]]] | None = None, **of: Any) -> Report:
    """A report of these answers, or of all."""
    answers = [Answer.of(question(name), found) for name, found in (ROWS if rows is None else rows).items()]
    scope = {
        "first_log_date": FIRST, "last_log_date": date(2018, 11, 30), "log_dates": 30, "plays": 6820, "matched": 1,
        "listeners": 96,
    }  # fmt: skip
    loads = {"loads": 300, "last_load_at": datetime.fromisoformat("2018-12-01T00:05:30")}
    broken = {
        "check_name": "staging_events.volume_is_usual", "severity": "warn", "offending": Decimal(4),
        "first_log_date": FIRST, "last_log_date": date(2018, 11, 29), "runs": 4,
    }  # fmt: skip
    made_at = datetime.fromisoformat("2018-12-01T01:02:03")
    warnings = of.get("warnings", [broken])
    return Report(made_at, "manual__7", loads, {**scope, **of.get("scope", {})}, answers, warnings)
