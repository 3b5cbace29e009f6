"""Files from the field as a whole load takes them: refused by name, or loaded but for the lines that are kept."""

from __future__ import annotations

import gzip
import json
import re
from datetime import date
from typing import Any

import pytest

from sparkify.loading.exceptions import DataError
from tests.field.cases import Case, cases, marks_of, tried
from tests.field.conftest import Ground

STAGE = ("tables", "stage_events", "check_staging")
REJECTS = "select file_name, line_number, column_name, value, reason, line from staging_rejects order by line_number"
UNITS = ("seconds", "microseconds", "nanoseconds")


def deliveries(*numbers: int) -> list[Any]:
    """Every delivery of the cases of these numbers that holds one log date."""
    return [
        pytest.param(case, folder.name, id=f"{case}-{folder.name}", marks=marks_of(case))
        for number in numbers
        for case in cases(number)
        for folder in sorted(case.folder.iterdir())
        if folder.is_dir()
    ]


def put(ground: Ground, case: Case, delivery: str) -> tuple[date, str, bytes]:
    """Deliver; returns the log date, and its one file's key and content, unpacked if it can be."""
    ground.seed(case.delivery(delivery))
    (log_date,) = case.log_dates(delivery)
    ((key, data),) = case.files(delivery).items()
    return log_date, key, gzip.decompress(data) if key.endswith(".gz") and data.startswith(b"\x1f\x8b") else data


def refusal(ground: Ground, log_date: date, **params: Any) -> str:
    """What the load of a date is refused with: a sentence that any log and terminal can show."""
    with pytest.raises(DataError) as refused:
        ground.pipeline.run(log_date, only=STAGE, **params)
    told = str(refused.value)
    assert told.replace("\n", "").isprintable()
    return told


def line_with(data: bytes, text: bytes) -> tuple[int, str]:
    """The one line that holds a text: its number, by line feeds, and what it holds."""
    ((number, line),) = [(number, line) for number, line in enumerate(data.split(b"\n"), 1) if text in line]
    return number, line.decode().strip()


def kept(ground: Ground, log_date: date, max_bad_lines: int = 99) -> list[tuple[Any, ...]]:
    """What a load that leaves bad lines out keeps of them; each line is a row or kept."""
    counts = ground.pipeline.run(log_date, only=STAGE, max_bad_lines=max_bad_lines)["stage_events"]
    rejects = ground.pipeline.rows(REJECTS)
    assert counts["rows_refused"] == len(rejects)
    assert ground.pipeline.rows("select lines_read from staged_dates") == [(counts["rows_staged"] + len(rejects),)]
    assert ground.pipeline.rows("select count(*) from staging_events") == [(counts["rows_staged"],)]
    return rejects


@pytest.mark.parametrize(("case", "delivery"), deliveries(3, 5, 6, 15, 16, 18, 20, 21))
def test_a_bad_file_is_refused_in_a_sentence_that_names_it(ground: Ground, case: Case, delivery: str) -> None:
    log_date, key, _ = put(ground, case, delivery)
    told = refusal(ground, log_date)
    assert f"s3://{ground.pipeline.bucket}/{key}" in told
    assert "Fix the file" in told or "name it .json" in told
    assert ground.pipeline.rows("select * from staging_events") == []


@pytest.mark.parametrize(("case", "delivery"), deliveries(3, 5, 6, 18, 20, 21))
def test_what_is_left_out_is_kept_once_and_as_it_stands_in_the_file(ground: Ground, case: Case, delivery: str) -> None:
    log_date, key, data = put(ground, case, delivery)
    rejects = kept(ground, log_date)
    assert rejects
    lines = data.split(b"\n")
    for file, number, _, _, _, line in rejects:
        assert file == f"s3://{ground.pipeline.bucket}/{key}"
        first_line = line.encode().split(b"\n")[0]
        assert first_line in lines[number - 1] or line.encode() in data
    staged = ground.pipeline.rows("select item_in_session from staging_events")
    assert not any(f'"itemInSession": {item},' in line for (item,) in staged for *_, line in rejects)


@pytest.mark.parametrize(("case", "delivery"), deliveries(3))
def test_half_a_surrogate_is_named_by_line_column_and_value(ground: Ground, case: Case, delivery: str) -> None:
    log_date, _, data = put(ground, case, delivery)
    half = rb"\ud83d" if rb"\ud83d" in data else rb"\udcb0"
    number, line = line_with(data, half)
    told = refusal(ground, log_date)
    assert f'-events.json, line {number}, column song, value "' in told
    assert half.decode() in told
    assert "String contains invalid or unsupported UTF-8 codepoints." in told
    ((_, kept_number, column, value, _, kept_line),) = kept(ground, log_date)
    assert (kept_number, column, kept_line) == (number, "song", line)
    assert f'"song": {value}' in line


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize(("case", "delivery"), deliveries(5))
def test_a_carriage_return_shifts_no_line(ground: Ground, case: Case, delivery: str, packed: bool) -> None:
    log_date, key, data = put(ground, case, delivery)
    if packed:
        ground.pipeline.remove(key)
        ground.pipeline.put({f"{key}.gz": gzip.compress(data)})
    number, line = line_with(data, b"nope")
    assert f'line {number}, column item_in_session, value "nope": ' in refusal(ground, log_date)
    ((_, kept_number, column, value, _, kept_line),) = kept(ground, log_date)
    assert (kept_number, column, value, kept_line) == (number, "item_in_session", '"nope"', line)


@pytest.mark.parametrize(("case", "delivery"), deliveries(6))
def test_a_broken_end_is_the_last_line_that_holds_anything(ground: Ground, case: Case, delivery: str) -> None:
    log_date, _, data = put(ground, case, delivery)
    lines = data.rstrip().split(b"\n")
    assert f"line {len(lines)}, value {lines[-1].decode()[:100]}" in refusal(ground, log_date)
    ((_, number, column, value, _, line),) = kept(ground, log_date)
    assert (number, column, value, line) == (len(lines), "", lines[-1].decode(), lines[-1].decode())


@pytest.mark.parametrize(("case", "delivery"), deliveries(15))
def test_bytes_of_another_kind_are_called_by_their_name(ground: Ground, case: Case, delivery: str) -> None:
    log_date, key, data = put(ground, case, delivery)
    told = refusal(ground, log_date)
    stored = case.files(delivery)[key]
    if key.endswith(".gz"):
        assert "is no gzip, as its name says" in told
    elif stored.startswith(b"\x1f\x8b"):
        assert "The bytes look like gzip." in told
    elif stored.startswith(b"\xef\xbb\xbf"):
        assert "line 1, value \\ufeff{" in told
        assert "The bytes begin with a byte-order mark." in told
    elif data.endswith(b"\x1a"):
        number = data.count(b"\n") + 1
        assert f"line {number}, value \\x1a: " in told
        assert "The byte is Ctrl-Z (0x1A)" in told
    else:
        assert "line 1, value " in told
        assert "The bytes look like UTF-16." in told


@pytest.mark.parametrize(("case", "delivery"), deliveries(16))
def test_another_unit_is_named_and_nothing_of_it_is_loaded(ground: Ground, case: Case, delivery: str) -> None:
    log_date, key, data = put(ground, case, delivery)
    told = refusal(ground, log_date)
    assert any(f" looks like {unit}" in told for unit in UNITS)
    rejects = kept(ground, log_date)
    times = {str(json.loads(line)["ts"]): line.decode() for line in data.splitlines()}
    assert rejects
    for file, number, column, value, reason, line in rejects:
        ts = value.strip('"')
        assert (file, column) == (f"s3://{ground.pipeline.bucket}/{key}", "ts")
        assert f"line {number}, column ts, value {value}: {reason}" in told
        assert reason in [f"ts {ts} looks like {unit}" for unit in UNITS]
        assert line == times[ts] == data.splitlines()[number - 1].decode()
    assert len(rejects) + len(ground.pipeline.rows("select * from staging_events")) == len(times)


@pytest.mark.parametrize("case", tried(17))
def test_a_new_field_is_seen_wherever_it_stands(ground: Ground, case: Case) -> None:
    ground.seed(case.delivery())
    dates = case.log_dates()
    for log_date in dates:
        ground.pipeline.run(log_date, only=STAGE)
    assert ground.pipeline.rows("select distinct log_date from staging_unknown_fields order by 1") == [
        (log_date,) for log_date in dates
    ]
    results = "select offending > 0 from data_quality_results where check_name = 'staging_events.field_is_known'"
    assert ground.pipeline.rows(results) == [(True,)] * len(dates)


@pytest.mark.parametrize(("case", "delivery"), deliveries(18))
def test_commas_are_told_and_the_events_are_loaded_or_kept(ground: Ground, case: Case, delivery: str) -> None:
    log_date, _, data = put(ground, case, delivery)
    rejects = kept(ground, log_date)
    objects = sum(line.lstrip(b"[").startswith(b"{") for line in data.split(b"\n"))
    if data.startswith(b"["):
        assert [line for *_, line in rejects] == [data.decode().strip()]
        assert ground.pipeline.rows("select count(*) from staging_events") == [(0,)]
    else:
        assert {line for *_, line in rejects} == {","}
        assert ground.pipeline.rows("select count(*) from staging_events") == [(objects,)]


@pytest.mark.parametrize(("case", "delivery"), deliveries(20))
def test_a_number_is_shown_as_it_is_written(ground: Ground, case: Case, delivery: str) -> None:
    log_date, _, data = put(ground, case, delivery)
    ((_, number, column, value, _, line),) = kept(ground, log_date)
    assert column == "ts"
    assert "E" in value
    assert f'"ts": {value}' in line == data.split(b"\n")[number - 1].decode().strip()
    assert f"line {number}, column ts, value {value}: " in refusal(ground, log_date)


@pytest.mark.parametrize(("case", "delivery"), deliveries(21))
def test_deep_nesting_is_named_and_the_other_lines_load(ground: Ground, case: Case, delivery: str) -> None:
    log_date, _, data = put(ground, case, delivery)
    assert re.search(r"line 1, value .*bytes\): .*nested too deeply", refusal(ground, log_date))
    ((_, number, _, _, reason, line),) = kept(ground, log_date)
    assert number == 1
    assert "nested too deeply" in reason
    assert data.startswith(line.encode())
    assert len(line) == min(65_535, data.index(b"\n"))
