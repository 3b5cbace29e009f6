"""The files of a made-up Sparkify."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local.errors import LocalStackError, UsageError
from local.reference import read_log_files, read_song_files, star_schema
from local.simulator import generate, recipe_of
from local.stack.home import PROJECT
from tests.local.simulator.recipes import BIG, SMALL, contents, files

# The bytes of SMALL: they may change when the simulator does, but never with the machine or the Python.
DIGEST = "5082ceee79c371cdce274f28b8c5a3b19b586b0735f1738e063d5b57eb8cf088"
A_LINE = [
    ("artist", str), ("auth", str), ("firstName", str), ("gender", str), ("itemInSession", int), ("lastName", str),
    ("length", float), ("level", str), ("location", str), ("method", str), ("page", str), ("registration", float),
    ("sessionId", int), ("song", str), ("status", int), ("ts", int), ("userAgent", str), ("userId", str),
]  # fmt: skip
NEVER_NULL = {"auth", "itemInSession", "level", "method", "page", "sessionId", "status", "ts", "userId"}
A_SONG = [
    "num_songs", "artist_id", "artist_latitude", "artist_longitude", "artist_location", "artist_name", "song_id",
    "title", "duration", "year",
]  # fmt: skip


def _nothing(_done: int, _total: int) -> None:
    return None


def test_the_bytes_follow_from_the_recipe_on_every_machine_and_python(tmp_path: Path) -> None:
    made = files(tmp_path / "made", SMALL)
    digest = hashlib.sha256()
    for path, data in sorted(made.items()):
        digest.update(f"{path} {len(data)}\n".encode() + data)
    assert digest.hexdigest() == DIGEST


def test_a_folder_of_more_days_holds_the_bytes_of_one_of_fewer(tmp_path: Path) -> None:
    fewer = files(tmp_path / "fewer", SMALL)
    more = files(tmp_path / "more", replace(SMALL, days=SMALL.days + 3))
    del fewer["generated.json"]
    assert fewer.items() <= more.items()
    assert len(more) == len(fewer) + 1 + 3


def test_a_file_holds_the_events_of_its_own_date_and_every_date_has_one(tmp_path: Path) -> None:
    tiny = replace(SMALL, days=12, events_per_day=1)
    for recipe in (SMALL, tiny):
        files(tmp_path / str(recipe.events_per_day), recipe)
        by_date = read_log_files(tmp_path / str(recipe.events_per_day))
        assert list(by_date) == recipe.dates
        for log_date, events in by_date.items():
            midnight = recipe.starts_at + (log_date - recipe.start).days * 86_400_000
            assert all(event.ts is not None and 0 <= event.ts - midnight < 86_400_000 for event in events)


def test_the_reference_reads_every_line_and_finds_the_plays(tmp_path: Path) -> None:
    made = files(tmp_path / "made", BIG)
    events, songs = read_log_files(tmp_path / "made"), read_song_files(tmp_path / "made")
    assert len(songs) == BIG.songs
    lines = sum(data.count(b"\n") for path, data in made.items() if path.startswith("log_data/"))
    assert sum(map(len, events.values())) == lines
    tables = star_schema(events, songs)
    assert 0.55 < sum(play.song_id is not None for play in tables.songplays) / len(tables.songplays) < 0.65
    assert {user.level for user in tables.users} == {"free", "paid"}
    plays = sum(event.page == "NextSong" for of_date in events.values() for event in of_date)
    assert len(tables.songplays) == plays


def test_lines_are_written_as_the_source_writes_them(tmp_path: Path) -> None:
    made = files(tmp_path / "made", SMALL)
    for path, data in made.items():
        if path.startswith("log_data/"):
            for line in data.decode().splitlines():
                event = json.loads(line)
                assert line == json.dumps(event, ensure_ascii=False, separators=(",", ":"))
                assert list(event) == [name for name, _ in A_LINE]
                for name, kind in A_LINE:
                    assert type(event[name]) is kind or (event[name] is None and name not in NEVER_NULL), (name, event)
        elif path.startswith("song_data/"):
            song: dict[str, Any] = json.loads(data)
            assert list(song) == A_SONG
            assert data == json.dumps(song).encode()


def test_the_same_again_changes_nothing_and_says_so(tmp_path: Path) -> None:
    made = files(tmp_path / "made", SMALL)
    assert not generate(tmp_path / "made", SMALL, False, _nothing)
    assert contents(tmp_path / "made") == made
    assert recipe_of(tmp_path / "made") == SMALL


def test_a_folder_made_from_something_else_is_replaced_only_on_demand(tmp_path: Path) -> None:
    made = files(tmp_path / "made", SMALL)
    other = replace(SMALL, seed=8, days=2)
    with pytest.raises(LocalStackError, match=r"generated from something else: .*--seed 7\. .* --replace"):
        generate(tmp_path / "made", other, False, _nothing)
    assert contents(tmp_path / "made") == made
    assert generate(tmp_path / "made", other, True, _nothing)
    assert contents(tmp_path / "made") == files(tmp_path / "fresh", other)


@pytest.mark.parametrize("foreign", ["mine.txt", "log_data/2018/11/2018-11-01-events.json"])
def test_a_folder_with_anything_else_in_it_is_never_touched(tmp_path: Path, foreign: str) -> None:
    file = tmp_path / "made" / foreign
    file.parent.mkdir(parents=True)
    file.write_text("mine")
    for replacing in (False, True):
        with pytest.raises(LocalStackError, match="which was not generated and stays as it is"):
            generate(tmp_path / "made", SMALL, replacing, _nothing)
    assert contents(tmp_path) == {f"made/{foreign}": b"mine"}


def test_a_foreign_file_among_generated_ones_stays(tmp_path: Path) -> None:
    files(tmp_path / "made", SMALL)
    (tmp_path / "made" / "notes.txt").write_text("mine")
    with pytest.raises(LocalStackError, match=r"holds notes\.txt"):
        generate(tmp_path / "made", replace(SMALL, seed=8), True, _nothing)
    assert (tmp_path / "made" / "notes.txt").read_text() == "mine"


def test_an_empty_folder_is_filled_and_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert generate(tmp_path / "empty", SMALL, False, _nothing)
    (tmp_path / "file").write_text("")
    with pytest.raises(LocalStackError, match="is a file"):
        generate(tmp_path / "file", SMALL, False, _nothing)


def test_what_is_interrupted_leaves_nothing_and_what_was_killed_is_cleared_away(tmp_path: Path) -> None:
    def interrupt(done: int, _total: int) -> None:
        if done > 500:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate(tmp_path / "made", SMALL, False, interrupt)
    assert list(tmp_path.iterdir()) == []

    script = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom local.simulator import generate\n"
        "from tests.local.simulator.recipes import SMALL\n"
        "generate(Path(sys.argv[1]), SMALL, False, lambda done, _: done > 500 and os.kill(os.getpid(), signal.SIGKILL))"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(tmp_path / "made")], cwd=PROJECT, check=False)
    assert killed.returncode == -9
    assert [path.name[:17] for path in tmp_path.iterdir()] == [".made.unfinished-"]
    files(tmp_path / "made", SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


def test_a_disk_that_takes_no_more_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    def few_bytes() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    done = subprocess.run(
        [sys.executable, "-m", "local", "generate", str(tmp_path / "made")],
        cwd=PROJECT, env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}, preexec_fn=few_bytes,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "A file would become larger than is allowed here" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"days": 0}, "--days is 0, but there must be at least 1."),
        ({"events_per_day": -5}, "--events-per-day is -5"),
        ({"songs": 0}, "--songs is 0"),
        ({"days": 10**9}, "ends after the year 9999"),
        ({"start": SMALL.start.replace(year=1969)}, "timed from 1970 on"),
    ],
)
def test_an_impossible_recipe_is_refused_in_a_sentence(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        replace(SMALL, **changes)
