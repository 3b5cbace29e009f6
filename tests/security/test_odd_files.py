"""Whatever stands in a file: each of its lines is loaded or kept, or the load fails in words; nothing else happens."""

from __future__ import annotations

import gzip
import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest

from local.reference import read_log_files, star_schema
from local.reference.records import LeftOut
from sparkify.loading.exceptions import DataError
from sparkify.loading.load_errors import SHOWN
from sparkify.loading.shown import OBEYED
from tests.conftest import RunningStack
from tests.examples import NOV_1, event
from tests.made_schema import MadeSchema
from tests.pipeline import WRITING, Pipeline
from tests.security.hostile import MARK, ODD_TEXTS, ODD_TIMES, ODD_VALUES, odd_files

STAGE = ("tables", "stage_events", "check_staging")
KEY = f"log_data/2018/11/{NOV_1}-events.json"
FILES = odd_files(event())
# What COPY reads no line of.
UNREADABLE = (
    *("UTF-16", "UTF-16 without a mark", "UTF-16 the other way round", "UTF-16 after an empty line", "UTF-32"),
    *("gzip", "packed twice.gz", "packed three times.gz", "bzip2"),
)
NOT_WHOLE = ("plain.gz", "cut off.gz", "something behind.gz", "other checksum.gz")
REJECTS = "select line_number, reason, line from staging_rejects order by line_number"
BROKEN = "select check_name from data_quality_results where severity = 'error' and not passed"


@pytest.fixture
def pipeline(stack: RunningStack, schema: MadeSchema, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    """An empty bucket and empty tables."""
    made = Pipeline(stack, monkeypatch.setenv, schema)
    yield made
    made.empty()


def put(pipeline: Pipeline, name: str, data: bytes) -> None:
    pipeline.put({KEY + (".gz" if name.endswith(".gz") else ""): data})


def stage(pipeline: Pipeline, max_bad_lines: int) -> list[tuple[Any, ...]]:
    """Load; every line of it is a row or kept."""
    counts = pipeline.run(NOV_1, only=STAGE, max_bad_lines=max_bad_lines)["stage_events"]
    rejects = pipeline.rows(REJECTS)
    assert counts["rows_refused"] == len(rejects)
    assert pipeline.rows("select count(*) from staging_events") == [(counts["rows_staged"],)]
    assert pipeline.rows(BROKEN) == []
    return rejects


@pytest.mark.parametrize("name", FILES)
def test_an_odd_file_is_loaded_or_kept_or_refused_in_words(pipeline: Pipeline, name: str) -> None:
    data = FILES[name]
    put(pipeline, name, data)
    if name in (*UNREADABLE, *NOT_WHOLE):
        with pytest.raises(DataError) as refused:
            stage(pipeline, 999)
        told = str(refused.value)
        assert told.replace("\n", "").isprintable()
        assert KEY in told
        assert re.search(r"The bytes look like (UTF-16|UTF-32|gzip|bzip2)\.|is no gzip|is no whole gzip file", told)
        assert pipeline.rows("select * from staging_events") == []
        return
    rejects = stage(pipeline, 999)
    text = (gzip.decompress(data) if name.endswith(".gz") else data).decode("utf-8", "replace").replace("\0", "")
    for number, _, line in rejects:
        assert 1 <= number <= text.count("\n") + 1
        assert line in text
    # What was loaded is what the reference takes.
    left_out: LeftOut = []
    of_file = {KEY + (".gz" if name.endswith(".gz") else ""): data}
    pipeline.assert_equals(star_schema(read_log_files(of_file, left_out), []), ["staging_events"])
    assert len(left_out) == len(rejects)
    loaded = pipeline.rows("select count(*) from staging_events")[0][0]
    # Nothing that stands in the file is missing in both.
    assert loaded + sum(line.count('"artist"') for *_, line in rejects) == text.count('"artist"')
    if rejects:
        with pytest.raises(DataError) as refused:
            stage(pipeline, 0)
        assert str(refused.value).replace("\n", "").isprintable()
        assert f"{KEY}, line {rejects[0][0]}" in str(refused.value)


@pytest.mark.parametrize("text", ODD_TEXTS, ids=ascii)
def test_an_odd_text_in_any_place_is_kept_loaded_or_refused_in_words(pipeline: Pipeline, text: str) -> None:
    lines = [
        json.dumps(event(itemInSession=1, location=text)),
        json.dumps(event(itemInSession=2, **{text: text})),
        json.dumps(event(itemInSession=3, device={text: [text]})),
        json.dumps(event(itemInSession=4, location={text: text})),
        json.dumps(event(itemInSession=5, userId=text)),
        json.dumps(event(itemInSession=6, ts=text)),
        json.dumps(event(itemInSession=7, location="x"))[:-1] + ", oops: " + json.dumps(text) + "}",
    ]
    pipeline.put({KEY: "\n".join(lines).encode()})
    with pytest.raises(DataError) as refused:
        stage(pipeline, 0)
    assert str(refused.value).replace("\n", "").isprintable()
    rejects = stage(pipeline, 99)
    kept = [line for *_, line in rejects]
    assert kept == [line for line in lines if line in kept]
    staged = dict(pipeline.rows("select item_in_session, location from staging_events"))
    assert len(kept) + len(staged) == len(lines)
    assert lines[4] in kept
    assert lines[6] in kept
    if 1 in staged:
        assert staged[1] == text
    assert pipeline.rows("select distinct field from staging_unknown_fields where field = 'device'") == [("device",)]


# The columns with a kind of their own, and texts that are counted, matched and kept.
FIELDS = (
    *("ts", "userId", "sessionId", "itemInSession", "length", "registration", "status"),
    *("level", "gender", "page", "song", "location", "userAgent"),
)


@pytest.mark.story
@pytest.mark.parametrize("field", FIELDS)
def test_whatever_stands_for_a_value_the_tables_are_what_the_reference_makes_of_the_file(
    pipeline: Pipeline, field: str
) -> None:
    of_file = [
        json.dumps(event(page="NextSong", level="paid", userId=str(number))) for number in range(len(ODD_VALUES))
    ]
    lines = [
        json.dumps({**json.loads(line), field: MARK}).encode().replace(json.dumps(MARK).encode(), value)
        for line, value in zip(of_file, ODD_VALUES, strict=True)
    ]
    files = {KEY: b"\n".join(lines)}
    pipeline.put(files)
    pipeline.run(NOV_1, only=WRITING, max_bad_lines=len(lines))
    kept = {number for (number,) in pipeline.rows("select line_number from staging_rejects")}
    left_out: LeftOut = []
    pipeline.assert_equals(star_schema(read_log_files(files, left_out), []))
    assert kept == {record.line for record in left_out}
    assert kept


def test_odd_texts_are_shown_in_what_a_task_logs(pipeline: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [json.dumps({"userId": text}, ensure_ascii=False) for text in ODD_TEXTS[2:]]
    pipeline.put({KEY: "\n".join(line.replace("\n", " ") for line in lines).encode()})
    stage(pipeline, 999)
    logged = capsys.readouterr().out
    assert logged.count("Left out: ") == min(len(lines), SHOWN)
    assert {unicodedata.category(one) for one in logged.replace("\n", "")} & OBEYED == set()


def test_odd_times_among_good_ones_are_kept_and_the_rest_is_loaded(pipeline: Pipeline) -> None:
    events = [event(itemInSession=number, ts=ts) for number, ts in enumerate(ODD_TIMES)]
    good = [event(itemInSession=100 + number) for number in range(3)]
    pipeline.put_events(NOV_1, [good[0], *events, *good[1:]])
    rejects = stage(pipeline, len(ODD_TIMES))
    assert [number for number, *_ in rejects] == list(range(2, 2 + len(ODD_TIMES)))
    assert pipeline.rows("select item_in_session from staging_events order by 1") == [(100,), (101,), (102,)]
    with pytest.raises(DataError, match=f"{len(ODD_TIMES)} line.s. have a ts outside"):
        stage(pipeline, len(ODD_TIMES) - 1)
