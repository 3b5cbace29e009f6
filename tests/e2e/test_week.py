"""Airflow's own scheduler loads a week of real files: what `make test` has of the month in test_month.py."""

from __future__ import annotations

from pathlib import Path

from local.reference import read_log_files, read_song_files, star_schema
from local.stack.home import Home
from tests.command_line import CommandLine
from tests.e2e.loaded import assert_warehouse_equals_reference
from tests.month import month

DAYS = 7
WEEK = month().first_days(DAYS)
EXPECTED = star_schema(read_log_files(WEEK.files), read_song_files(WEEK.files))


def test_a_backfill_of_a_week_gives_what_its_files_say(cli: CommandLine, home: Home, tmp_path: Path) -> None:
    assert len(read_log_files(WEEK.files)) == DAYS
    WEEK.write_to(tmp_path)
    cli.run("seed", str(tmp_path))
    cli.run("backfill", str(WEEK.first), str(WEEK.last), "--max-active-runs", "4")
    assert_warehouse_equals_reference(home, EXPECTED)
    assert cli.value("select count(*) from load_history where table_name = 'songplays'") == DAYS
    assert "tables are equal to the files." in cli.run("verify", str(tmp_path))
