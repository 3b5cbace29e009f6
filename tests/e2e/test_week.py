"""Airflow's own scheduler loads a week of real files: what `make test` has of the month in test_month.py."""

from __future__ import annotations

from pathlib import Path

from local.reference import read_log_files, read_song_files, star_schema
from local.stack.home import Home
from tests.command_line import CommandLine
from tests.e2e.loaded import assert_warehouse_equals_reference
from tests.month import month

DAYS = 7
MONTH = month()
LOG_DATES = sorted(read_log_files(MONTH.files))[:DAYS]
FILES = {
    key: data
    for key, data in MONTH.files.items()
    if key.startswith("song_data/") or any(str(log_date) in key for log_date in LOG_DATES)
}
EXPECTED = star_schema(read_log_files(FILES), read_song_files(FILES))


def test_a_backfill_of_a_week_gives_what_its_files_say(cli: CommandLine, home: Home, tmp_path: Path) -> None:
    assert len(LOG_DATES) == DAYS
    for key, data in FILES.items():
        path = tmp_path / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    cli.run("seed", str(tmp_path))
    cli.run("backfill", str(LOG_DATES[0]), str(LOG_DATES[-1]), "--max-active-runs", "4")
    assert_warehouse_equals_reference(home, EXPECTED)
    assert cli.value("select count(*) from load_history where table_name = 'songplays'") == DAYS
    assert "tables are equal to the files." in cli.run("verify", str(tmp_path))
