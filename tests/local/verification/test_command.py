from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from local import cli
from local.reference import COLUMNS
from local.stack.home import Home
from local.verification import warehouse
from local.verification.command import fitted
from tests.conftest import RunningStack
from tests.local.verification.conftest import Loaded

FIRST_DAY = Path("log_data/2018/11/2018-11-01-events.json")

# table -> a row that is in it, an assignment that changes it, columns and values of a row that is in no file
DAMAGES = {
    "staging_events": ("ts = (select min(ts) from {schema}.staging_events)", "level = 'gone'", "(page)", "('Home')"),
    "staging_songs": ("song_id = 'SOA1'", "year = 1", "(song_id)", "('SOZ9')"),
    "songplays": (
        "songplay_id = (select min(songplay_id) from {schema}.songplays)", "location = 'Atlantis'",
        "(songplay_id, log_date)", "('0', '2031-01-01')",
    ),
    "users": ("user_id = 10", "level = 'gone'", "(user_id)", "(999)"),
    "songs": ("song_id = 'SOA1'", "duration = 268.12037", "(song_id)", "('SOZ9')"),
    "artists": ("artist_id = 'AR1'", "latitude = 64.14599", "(artist_id)", "('ARZ9')"),
    "time": (
        "start_time = (select min(start_time) from {schema}.time)", "weekday = 0", "(start_time)", "('2031-01-01')",
    ),
}  # fmt: skip


class Told:
    """What `verify` ended with and said."""

    def __init__(self, code: int, output: str, error: str) -> None:
        self.code, self.lines, self.error = code, output.splitlines(), " ".join(error.split())

    def counts(self, table: str) -> tuple[int, int, int]:
        """The missing, surplus and differing rows of a table."""
        (line,) = [line.split() for line in self.lines if line.startswith(f"{table} ")]
        missing, surplus, differing = line[3:6]
        return int(missing), int(surplus), int(differing)


class Verify:
    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, loaded: Loaded, *options: str, folder: Path | None = None) -> Told:
        self._capsys.readouterr()
        code = cli.main(["verify", str(folder or loaded.folder), "--schema", loaded.schema, *options])
        return Told(code, *self._capsys.readouterr())


@pytest.fixture
def verify(capsys: pytest.CaptureFixture[str]) -> Verify:
    return Verify(capsys)


def test_what_was_loaded_is_equal(loaded: Loaded, verify: Verify) -> None:
    told = verify(loaded)
    assert (told.code, told.lines[-1]) == (0, f"All {len(COLUMNS)} tables are equal to the files.")
    assert told.lines[0].endswith(f"schema {loaded.schema}")


@pytest.mark.parametrize("table", DAMAGES)
def test_a_row_that_is_gone_is_missing(table: str, loaded: Loaded, verify: Verify) -> None:
    row = DAMAGES[table][0]
    loaded.sql(f"delete from {{schema}}.{table} where {row}")
    told = verify(loaded)
    assert (told.code, told.lines[-1]) == (1, f"1 of {len(COLUMNS)} tables differ: {table}.")
    assert told.counts(table) == (1, 0, 0)
    assert any(line.startswith("  missing: ") for line in told.lines)


@pytest.mark.parametrize("table", DAMAGES)
def test_a_row_of_no_file_is_surplus(table: str, loaded: Loaded, verify: Verify) -> None:
    _, _, columns, values = DAMAGES[table]
    loaded.sql(f"insert into {{schema}}.{table} {columns} values {values}")
    told = verify(loaded)
    assert (told.code, told.lines[-1]) == (1, f"1 of {len(COLUMNS)} tables differ: {table}.")
    assert told.counts(table) == (0, 1, 0)
    assert any(line.startswith("  surplus: ") for line in told.lines)


@pytest.mark.parametrize("table", DAMAGES)
def test_a_row_that_was_changed_differs(table: str, loaded: Loaded, verify: Verify) -> None:
    row, change, _, _ = DAMAGES[table]
    loaded.sql(f"update {{schema}}.{table} set {change} where {row}")
    told = verify(loaded)
    assert (told.code, told.lines[-1]) == (1, f"1 of {len(COLUMNS)} tables differ: {table}.")
    # Staged rows have no key that would say which row was another.
    assert told.counts(table) == ((1, 1, 0) if table.startswith("staging") else (0, 0, 1))


def test_an_example_names_the_row_and_what_it_should_hold(loaded: Loaded, verify: Verify) -> None:
    loaded.sql("update {schema}.users set level = 'gone' where user_id = 10")
    assert "  differs: user_id 10: level should be 'paid', is 'gone'" in verify(loaded).lines


def test_a_play_that_is_there_twice_is_surplus_once(loaded: Loaded, verify: Verify) -> None:
    loaded.sql(
        "insert into {schema}.songplays select * from {schema}.songplays"
        " where songplay_id = (select min(songplay_id) from {schema}.songplays)"
    )
    assert verify(loaded).counts("songplays") == (0, 1, 0)


def test_a_play_under_another_log_date_differs_though_it_is_read_with_other_rows(
    loaded: Loaded, verify: Verify, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warehouse, "SLICE_ROWS", 1)
    loaded.sql(
        "update {schema}.songplays set log_date = '2018-11-20'"
        " where songplay_id = (select min(songplay_id) from {schema}.songplays)"
    )
    assert verify(loaded).counts("songplays") == (0, 0, 1)


@pytest.mark.parametrize("year", ["9999-12-31 23:59:59.999", "51018-01-18 10:00:00", "0044-03-15 BC"])
def test_a_time_that_no_file_may_have_is_surplus(year: str, loaded: Loaded, verify: Verify) -> None:
    loaded.sql(f"insert into {{schema}}.time (start_time) values ('{year}')")
    loaded.sql(f"insert into {{schema}}.songplays (songplay_id, start_time, log_date) values ('x', '{year}', '{year}')")
    loaded.sql(f"insert into {{schema}}.staging_events (ts, log_date) values (9223372036854775807, '{year}')")
    told = verify(loaded)
    assert told.code == 1
    for table in ("time", "songplays", "staging_events"):
        assert told.counts(table) == (0, 1, 0), table


def test_no_more_examples_are_shown_than_were_asked_for(loaded: Loaded, verify: Verify) -> None:
    loaded.sql("delete from {schema}.users")
    assert sum("missing: " in line for line in verify(loaded, "--examples", "3").lines) == 3


def test_a_file_changed_since_it_was_loaded_differs(loaded: Loaded, verify: Verify, tmp_path: Path) -> None:
    copy_without_last_line(loaded.folder, tmp_path)
    told = verify(loaded, folder=tmp_path)
    assert told.code == 1
    assert told.counts("staging_events") == (0, 1, 0)
    assert told.counts("songplays") == (0, 1, 0)


def test_an_unreadable_record_ends_it_with_file_line_and_field(loaded: Loaded, verify: Verify, tmp_path: Path) -> None:
    spoil(loaded.folder, tmp_path)
    told = verify(loaded, folder=tmp_path)
    assert told.code == 1
    assert told.error.startswith(f'{FIRST_DAY}, line 2, field ts: the text "noon" is not a whole number.')
    assert "--skip-unreadable" in told.error


def test_unreadable_records_are_left_out_and_counted_if_asked(loaded: Loaded, verify: Verify, tmp_path: Path) -> None:
    spoil(loaded.folder, tmp_path)
    told = verify(loaded, "--skip-unreadable", folder=tmp_path)
    assert (told.code, told.lines[-1]) == (0, f"All {len(COLUMNS)} tables are equal to the files.")
    assert told.lines[1].startswith(f"Unreadable and left out: 1 record(s). The first: {FIRST_DAY}, line 2, field ts")


def test_a_folder_without_source_files_is_refused(loaded: Loaded, verify: Verify, tmp_path: Path) -> None:
    told = verify(loaded, folder=tmp_path)
    assert told.code == 1
    assert "neither a folder log_data nor a folder song_data" in told.error


def test_missing_tables_are_a_sentence(loaded: Loaded, verify: Verify) -> None:
    loaded.sql("drop table {schema}.users")
    told = verify(loaded)
    assert told.code == 1
    assert "A table is missing" in told.error
    assert "Run the DAG sparkify_schema" in told.error


def test_a_warehouse_named_by_host_is_verified(
    loaded: Loaded, verify: Verify, stack: RunningStack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SPARKIFY_HOME", str(tmp_path / "none"))
    monkeypatch.setenv("REDSHIFT_PASSWORD", stack.redshift["password"])
    assert verify(loaded, *host_options(stack.redshift)).code == 0


def test_a_warehouse_that_is_away_is_a_sentence(
    loaded: Loaded, verify: Verify, stack: RunningStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDSHIFT_PASSWORD", "some")
    with socket.socket() as unheard:
        # Bound and not listening: nothing else can take the port meanwhile.
        unheard.bind(("127.0.0.1", 0))
        told = verify(loaded, *host_options({**stack.redshift, "port": unheard.getsockname()[1]}))
    assert told.code == 1
    assert "refused the log-in" in told.error
    assert "Traceback" not in told.error


def test_a_wrong_password_is_a_sentence(
    loaded: Loaded, verify: Verify, stack: RunningStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDSHIFT_PASSWORD", "wrong")
    told = verify(loaded, *host_options(stack.redshift))
    assert told.code == 1
    assert "password authentication failed" in told.error


def test_a_host_without_a_password_in_the_environment_is_a_sentence(
    loaded: Loaded, verify: Verify, stack: RunningStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REDSHIFT_PASSWORD", raising=False)
    told = verify(loaded, *host_options(stack.redshift))
    assert told.code == 1
    assert "REDSHIFT_PASSWORD" in told.error


@pytest.mark.parametrize("conn_type", ["redshift", "postgres"])
def test_a_warehouse_is_verified_by_an_airflow_connection(
    conn_type: str, loaded: Loaded, verify: Verify, stack: RunningStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = json.loads(stack.env["AIRFLOW_CONN_REDSHIFT_DEFAULT"])
    if conn_type == "postgres":
        connection = {**connection, "conn_type": "postgres", "extra": {"sslmode": "disable"}}
    monkeypatch.setenv("AIRFLOW_CONN_AUDITED", json.dumps(connection))
    told = verify(loaded, "--connection", "audited")
    assert told.code == 0
    assert "against connection audited," in "".join(told.lines)


def test_without_a_local_stack_the_connection_of_the_dags_is_verified(
    loaded: Loaded, verify: Verify, stack: RunningStack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SPARKIFY_HOME", str(tmp_path / "none"))
    monkeypatch.delenv("AIRFLOW_CONN_REDSHIFT_DEFAULT", raising=False)
    told = verify(loaded)
    assert told.code == 1
    assert "python -m local up" in told.error
    monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT_DEFAULT", stack.env["AIRFLOW_CONN_REDSHIFT_DEFAULT"])
    assert verify(loaded).code == 0


def test_an_unknown_airflow_connection_is_a_sentence(loaded: Loaded, verify: Verify) -> None:
    told = verify(loaded, "--connection", "nowhere")
    assert told.code == 1
    assert "AIRFLOW_CONN_NOWHERE" in told.error


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--port", "5439"], "say more about --host"),
        (["--host", "h"], "--host needs --database and --user"),
        (["--host", "h", "--connection", "c"], "Give one of them"),
        (["--examples", "-1"], "--examples must be at least 0"),
    ],
)
def test_a_senseless_choice_of_options_ends_with_2_and_a_sentence(
    options: list[str], sentence: str, loaded: Loaded, verify: Verify
) -> None:
    told = verify(loaded, *options)
    assert told.code == 2
    assert sentence in told.error


def test_the_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["verify", "--help"])
    assert ended.value.code == 0
    assert "Example: python -m local verify" in " ".join(capsys.readouterr().out.split())


def test_long_lines_are_cut_only_where_the_screen_could_not_show_them_all() -> None:
    lines = ["short", "x" * 25]
    assert fitted(lines, columns=10, rows=5) == lines
    assert fitted(lines, columns=10, rows=4) == ["short", "xxxxxxxxx…"]


def test_rows_written_after_the_count_are_not_seen(loaded: Loaded) -> None:
    with warehouse.by_default(Home.find(), loaded.schema) as target:
        (all_of_it,) = target.slices("users")
        loaded.sql("insert into {schema}.users (user_id) values (999)")
        assert len(target.rows("users", all_of_it)) == all_of_it.rows


def host_options(redshift: Any) -> list[str]:
    named = [option for name in ("host", "port", "database", "user") for option in (f"--{name}", str(redshift[name]))]
    return [*named, "--no-ssl"]


def copied(source: Path, target: Path) -> None:
    for path in source.rglob("*.json"):
        place = target / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(path.read_bytes())


def copy_without_last_line(source: Path, target: Path) -> None:
    copied(source, target)
    lines = (target / FIRST_DAY).read_text().splitlines()
    (target / FIRST_DAY).write_text("\n".join(lines[:-1]))


def spoil(source: Path, target: Path) -> None:
    copied(source, target)
    first, *others = (target / FIRST_DAY).read_text().splitlines()
    (target / FIRST_DAY).write_text("\n".join([first, json.dumps({"page": "Home", "ts": "noon"}), *others]))
