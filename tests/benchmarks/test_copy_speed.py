"""The benchmark loads what it says, and judges rightly. How long anything took is no business of a test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks.copy_data import PREFIX, keys
from benchmarks.copy_report import as_markdown, as_svg
from benchmarks.copy_speed import CopySpeed, Figure, Memory
from local.stack.connections import SOURCE_BUCKET

pytestmark = pytest.mark.cost


def figure(value: float, *, at_least: bool = False) -> Figure:
    return Figure("COPY", value, 0.6, "of psql", at_least, "120,000 rows/s")


def test_everything_is_loaded_and_measured_and_nothing_is_left(stack: Any, tmp_path: Path) -> None:
    with CopySpeed(stack, tmp_path) as measured:
        speeds = measured.speeds(events=1_003, objects=4, repeats=2)
        memory, loads = measured.memory()
        songs = measured.small_objects(songs=40, repeats=2)
        overhead = measured.round_trips(5)
    assert [(one.limit, one.at_least) for one in speeds] == [(0.60, True), (0.55, True)]
    assert [one.limit for one in (*memory, songs, overhead)] == [400, 400, 400, 1.2, 1]
    assert all(one.value > 0 for one in (*speeds, *memory, songs))
    assert [load.rows for load in loads] == [250, 1_003, 4_012]
    assert all(load.samples for load in loads)
    assert list(keys(stack.s3, SOURCE_BUCKET)) == []


def test_a_load_of_other_rows_than_meant_is_no_measurement(stack: Any, tmp_path: Path) -> None:
    with CopySpeed(stack, tmp_path) as measured:
        measured.speeds(events=10, objects=1, repeats=1)
        stack.s3.put_object(Bucket=SOURCE_BUCKET, Key=f"{PREFIX}plain/000.json", Body=json.dumps({"page": "Home"}))
        with pytest.raises(RuntimeError, match="what was measured is not what was meant"):
            measured.memory()


def test_a_speed_holds_from_its_limit_on() -> None:
    assert figure(0.6, at_least=True).holds
    assert not figure(0.59, at_least=True).holds


def test_a_cost_holds_up_to_its_limit() -> None:
    assert figure(0.6).holds
    assert not figure(0.61).holds


def test_the_page_shows_the_figures_and_what_fails() -> None:
    page = as_markdown([figure(0.5, at_least=True)], objects=30, repeats=3)
    assert "| COPY | 0.50 of psql | at least 0.6 | no | 120,000 rows/s |" in page


def test_the_picture_has_a_line_a_load() -> None:
    picture = as_svg(
        [Memory("1x", 500, [100.0, 120.0]), Memory("4x", 2_000, [100.0]), Memory("16x", 8_000, [90.0] * 999)]
    )
    lines = ElementTree.fromstring(picture).findall(  # noqa: S314  # a picture of ours
        "{http://www.w3.org/2000/svg}polyline"
    )
    assert len(lines) == 3
