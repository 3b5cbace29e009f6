from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from local.errors import LocalStackError
from local.stack.home import PROJECT, Home


def test_a_home_remembers_what_was_chosen_for_it(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.create()
    home.choose_port("s3", 4711)
    password = home.secret("admin")
    again = Home(tmp_path / "home")
    assert (again.identity, again.port("s3"), again.secret("admin")) == (home.identity, 4711, password)


def test_the_file_with_the_passwords_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.create()
    home.secret("admin")
    assert stat.S_IMODE((home.folder / "state.json").stat().st_mode) == 0o600


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_nobody_else_enters_a_home_or_holds_its_lock(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with home.locked(print):
        home.create()
        assert mode(home.folder / "lock") == 0o600
    assert mode(home.folder) == 0o700


def test_a_lock_that_an_older_version_left_open_to_all_is_closed(tmp_path: Path) -> None:
    (tmp_path / "lock").touch(mode=0o644)
    with Home(tmp_path).locked(print):
        assert mode(tmp_path / "lock") == 0o600


def test_a_group_is_let_through_and_nobody_else(tmp_path: Path) -> None:
    group = 60_777 if os.geteuid() == 0 else os.getegid()
    home = Home(tmp_path / "home")
    home.create()
    home.let_through(group)
    assert (mode(home.folder), home.folder.stat().st_gid) == (0o710, group)
    # As root, PostgreSQL may be running in there.
    home.create()
    assert mode(home.folder) == (0o710 if os.geteuid() == 0 else 0o700)


def test_two_homes_have_different_passwords(tmp_path: Path) -> None:
    homes = [Home(tmp_path / "one"), Home(tmp_path / "two")]
    for home in homes:
        home.create()
    assert len({home.secret("admin") for home in homes}) == 2


def test_a_secret_asked_for_by_many_threads_is_made_once(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.create()
    seen: list[str] = []
    threads = [threading.Thread(target=lambda: seen.append(home.secret("admin"))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(seen)) == 1


def test_the_home_is_in_the_project_unless_the_environment_names_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("SPARKIFY_HOME", raising=False)
    assert Home.find().folder == PROJECT / ".local"
    monkeypatch.setenv("SPARKIFY_HOME", str(tmp_path))
    assert Home.find().folder == tmp_path


def test_a_home_without_a_stack_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(LocalStackError, match="python -m local up"):
        Home(tmp_path).port("s3")


def test_a_second_command_waits_for_the_first_and_says_so(tmp_path: Path) -> None:
    home = Home(tmp_path)
    told: list[str] = []
    waiting = threading.Event()

    def tell(message: str) -> None:
        told.append(message)
        waiting.set()

    def second() -> None:
        with Home(tmp_path).locked(tell):
            told.append("got it")

    thread = threading.Thread(target=second)
    with home.locked(told.append):
        thread.start()
        assert waiting.wait(30)
        assert "got it" not in told
    thread.join()
    assert told[-1] == "got it"
