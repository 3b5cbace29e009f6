"""What the error of a failed COPY says, and what is kept of lines left out, whatever the files and the views hold."""

from __future__ import annotations

import gzip
import itertools
import logging
import time
import tracemalloc
import zlib
from collections.abc import Generator
from typing import Any

import pytest

from sparkify.loading import load_errors
from sparkify.loading.exceptions import DataError, SettingsError, Unavailable
from sparkify.loading.load_errors import lines_left_out, why_copy_failed
from sparkify.loading.refused_lines import MOST_KEPT, LoadError
from sparkify.loading.settings import Settings
from sparkify.loading.source import PIECE_BYTES, Source, unpacked
from tests.pipeline import Pipeline

KEY = "log_data/2018/11/2018-11-01-events.json"
LINES = b"".join(b'{"ts": "x%d"}\n' % number for number in range(20_000))
PACKED = gzip.compress(LINES, mtime=0)
MIB = 1 << 20
PATHS = {"ts": ("ts",), "song": ("song",)}
FAILED = DataError("Load into table 'incoming' failed. Check 'sys_load_error_detail' system table for details.")


class Refused:
    """A session whose last COPY refused these lines, and what the server and its system views say of them.

    :param seen: line, column and reason of each.
    :param notices: what the server says, or None with a driver that keeps no notices.
    :param blank: how often the views show nothing before they show what there is.
    :param counted: what ``sys_load_history`` shows.
    """

    log = logging.getLogger("test_load_errors")

    def __init__(
        self,
        url: str,
        seen: list[tuple[int, str, str]],
        notices: list[str] | None = None,
        *,
        blank: int = 0,
        counted: int | None = None,
    ) -> None:
        self.url = url
        self.seen = seen
        self.said = notices
        self.blank = blank
        self.counted = counted

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        if sql == "select pg_last_copy_id()":
            return [(2,)]
        if "stl_load_errors" in sql:
            raise SettingsError("A table is missing in the warehouse")
        self.blank -= 1
        if "sys_load_history" in sql:
            return [(None if self.blank >= 0 else self.counted,)]
        # A cluster pads its texts.
        return (
            [] if self.blank >= 0 else [(f"{self.url:256}", line, f"{name:127}", why) for line, name, why in self.seen]
        )

    def notices(self) -> list[str]:
        said, self.said = self.said or [], None
        return said


@pytest.fixture
def source(pipeline: Pipeline) -> Source:
    return Source("aws_default", Settings.of_connection("aws_default"))


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_errors, "VIEW_SECONDS", 0.3)
    monkeypatch.setattr(load_errors, "VIEW_PAUSE", 0.01)


def left_out(pipeline: Pipeline, data: bytes, *seen: tuple[int, str, str], key: str = KEY) -> list[LoadError]:
    """What is found of these lines of a file, which COPY left out."""
    pipeline.put({key: data})
    source = Source("aws_default", Settings.of_connection("aws_default"))
    count = f"Load into table 'incoming' completed, {len(seen)} record(s) could not be loaded."
    warehouse: Any = Refused(f"s3://{pipeline.bucket}/{key}", list(seen), [count])
    return lines_left_out(warehouse, source, PATHS)


def told(pipeline: Pipeline, source: Source, key: str) -> list[LoadError]:
    """The error of a COPY that failed at line 19,999."""
    warehouse: Any = Refused(f"s3://{pipeline.bucket}/{key}", [(19_999, "ts", "Invalid digit")])
    return why_copy_failed(warehouse, source, PATHS, FAILED, since=1)


@pytest.mark.parametrize(("key", "data"), [(KEY, LINES), (f"{KEY}.gz", PACKED), (f"{KEY}.gz", PACKED + PACKED)])
def test_a_line_is_told_whole(pipeline: Pipeline, source: Source, key: str, data: bytes) -> None:
    pipeline.put({key: data})
    assert [(one.line, one.text, one.value) for one in told(pipeline, source, key)] == [
        (19_999, '{"ts": "x19998"}', '"x19998"')
    ]


@pytest.mark.parametrize(
    "data",
    [LINES, PACKED[:-1000], PACKED[:5], PACKED[:100] + b"x" * 5000, None],
    ids=["no gzip", "truncated", "truncated in its header", "broken", "gone"],
)
def test_a_file_that_cannot_be_read_does_not_hide_the_error(
    pipeline: Pipeline, source: Source, caplog: pytest.LogCaptureFixture, data: bytes | None
) -> None:
    key = f"{KEY}.gz"
    if data is not None:
        pipeline.put({key: data})
    url = f"s3://{pipeline.bucket}/{key}"
    assert told(pipeline, source, key) == [LoadError(url, 19_999, "ts", "Invalid digit", None, None)]
    assert f"could not be fetched from {url}: " in caplog.text


def test_an_s3_that_refuses_does_not_hide_the_error(
    pipeline: Pipeline, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> Generator[bytes]:
        raise SettingsError("permission refused by S3")
        yield b""

    monkeypatch.setattr(Source, "pieces", refuse)
    assert [error.reason for error in told(pipeline, source, KEY)] == ["Invalid digit"]


def test_lines_that_are_to_be_kept_must_be_fetched(pipeline: Pipeline, source: Source) -> None:
    warehouse: Any = Refused(f"s3://{pipeline.bucket}/{KEY}", [(1, "ts", "")], ["1 record(s) could not be loaded"])
    with pytest.raises(Unavailable, match="Could not read s3://.*: it is gone since it was listed"):
        lines_left_out(warehouse, source, PATHS)


def test_a_file_that_is_no_whole_gzip_is_said_to_be_so(pipeline: Pipeline) -> None:
    with pytest.raises(DataError, match=r"Could not read s3://.*: it is no whole gzip file \(it ends too early\)"):
        left_out(pipeline, PACKED[:-10], (20_000, "ts", "Invalid digit"), key=f"{KEY}.gz")


@pytest.mark.parametrize("value", ["1.547546460796E12", '"x\\ud83d"', "[1,  2]", '"\\u0041"', "true"])
def test_a_value_is_told_as_the_file_has_it(pipeline: Pipeline, value: str) -> None:
    (error,) = left_out(pipeline, f'{{"a": 1}}\n{{"ts": {value}, "b": 1}}\n'.encode(), (2, "ts", "Invalid digit"))
    assert error.value == value
    assert str(error).endswith(f"{KEY}, line 2, column ts, value {value}: Invalid digit")


def test_lines_are_counted_by_line_feeds_alone(pipeline: Pipeline) -> None:
    data = b'{"ts": 1}\r\r\n{"ts":\r2}\r\r\n{"ts": "nope"}\r\r\n'
    for key, stored in ((KEY, data), (f"{KEY}.gz", gzip.compress(data))):
        (error,) = left_out(pipeline, stored, (3, "ts", "Invalid digit"), key=key)
        assert (error.line, error.text, error.value) == (3, '{"ts": "nope"}', '"nope"')


def test_an_object_of_several_lines_is_kept_whole(pipeline: Pipeline) -> None:
    written = '{\n "ts": "nope",\n "song": null\n}'
    (error,) = left_out(pipeline, f'{{"ts": 1}}\n{written}\n{{"ts": 2}}'.encode(), (5, "ts", "Invalid digit"))
    assert (error.line, error.text, error.value) == (5, written, '"nope"')


@pytest.mark.parametrize("line", [2, 4], ids=["where it begins", "where it ends"])
def test_an_object_that_never_ends_is_told_by_the_line_where_it_begins(pipeline: Pipeline, line: int) -> None:
    written = '{"ts": 1,\n "song": "x"\n'
    (error,) = left_out(pipeline, f'{{"ts": 1}}\n{written}\n\n{{"ts": 2}}'.encode(), (line, "", "Invalid JSON"))
    assert (error.line, error.text, error.value) == (2, written.strip(), written.strip())


@pytest.mark.parametrize("line", [2, 3, 9])
def test_a_broken_end_is_kept_whichever_line_after_it_is_named(pipeline: Pipeline, line: int) -> None:
    (error,) = left_out(pipeline, b'{"ts": 1}\n{"ts": Infinity}\n', (line, "", "Invalid JSON"))
    assert (error.line, error.text) == (2, '{"ts": Infinity}')


def test_what_stands_between_objects_is_told_without_them(pipeline: Pipeline) -> None:
    errors = left_out(pipeline, b'{"ts": 1},\n{"ts": 2},\n', (1, "", "Invalid JSON"), (2, "", "Invalid JSON"))
    assert [(error.line, error.text) for error in errors] == [(1, ","), (2, ",")]


def test_of_several_objects_on_a_line_each_is_kept_once(pipeline: Pipeline) -> None:
    line = b'{"ts": "a"} {"ts": "b"} {"ts": oops}'
    errors = left_out(pipeline, line, (1, "ts", "Invalid"), (1, "ts", "Invalid"), (1, "", "Invalid JSON"))
    assert [error.text for error in errors] == ['{"ts": "a"}', '{"ts": "b"}', '{"ts": oops}']
    assert [error.value for error in errors] == ['"a"', '"b"', '{"ts": oops}']


def test_where_it_cannot_be_told_which_object_of_a_line_it_is_all_are_kept(pipeline: Pipeline) -> None:
    (error,) = left_out(pipeline, b'{"ts": 1} {"ts": "b"}', (1, "ts", "Invalid digit"))
    assert (error.text, error.value) == ('{"ts": 1} {"ts": "b"}', None)
    (error,) = left_out(pipeline, b'{"ts": oops} oops', (1, "", "Invalid JSON"))
    assert (error.text, error.value) == ('{"ts": oops} oops', '{"ts": oops} oops')


def test_deep_nesting_does_not_hide_the_reason(pipeline: Pipeline) -> None:
    deep = b'{"page": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    for column in ("", "song"):
        (error,) = left_out(pipeline, b'{"ts": 1}\n' + deep, (2, column, "nested too deeply"))
        assert (error.line, error.reason) == (2, "nested too deeply")
        assert len(error.text or "") == MOST_KEPT


@pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        (b'\xef\xbb\xbf{"ts": 1}\n{"ts": 2}\n', 1, "begin with a byte-order mark"),
        ('{"ts": 1}\n{"ts": 2}\n'.encode("utf-16"), 1, "look like UTF-16"),
        ('{"ts": 1}\n{"ts": 2}\n'.encode("utf-16-le"), 3, "look like UTF-16"),
        (PACKED, 7, "look like gzip"),
        (b'{"ts": 1}\r\n\x1a', 2, "Ctrl-Z (0x1A)"),
    ],
    ids=["BOM", "UTF-16", "UTF-16 without a mark", "gzip", "Ctrl-Z"],
)
def test_bytes_that_copy_cannot_read_are_called_by_their_name(
    pipeline: Pipeline, data: bytes, line: int, words: str
) -> None:
    (error,) = left_out(pipeline, data, (line, "", "Invalid JSON format"))
    assert words in str(error)
    assert str(error).isprintable()


def test_the_mark_of_the_first_line_is_not_the_trouble_of_another(pipeline: Pipeline) -> None:
    (error,) = left_out(pipeline, b'\xef\xbb\xbf{"ts": 1}\n{"ts": oops}\n', (2, "", "Invalid JSON format"))
    assert "byte-order mark" not in str(error)


@pytest.mark.parametrize(
    ("key", "data"),
    [
        (KEY, b'{"song": "' + b"x" * (64 * MIB) + b'"}\n'),
        (f"{KEY}.gz", gzip.compress(b"\0" * (256 * MIB))),
        (f"{KEY}.gz", gzip.compress(b'{"song": "' + b"x" * (64 * MIB))),
    ],
    ids=["one line", "a bomb", "a packed line"],
)
def test_a_line_of_any_size_takes_little_memory_and_time(
    pipeline: Pipeline, source: Source, key: str, data: bytes
) -> None:
    pipeline.put({key: data})
    source = Source("aws_default", Settings.of_connection("aws_default"))
    warehouse: Any = Refused(
        f"s3://{pipeline.bucket}/{key}", [(1, "", "too large")], ["1 record(s) could not be loaded"]
    )
    tracemalloc.start()
    began = time.process_time()
    (error,) = lines_left_out(warehouse, source, PATHS)
    assert time.process_time() - began < 20
    assert tracemalloc.get_traced_memory()[1] < 50 * MIB
    tracemalloc.stop()
    assert error.line == 1
    assert len(error.text or "") == MOST_KEPT
    assert len(str(error)) < 1000
    assert f"… ({error.size:,} bytes)" in str(error)
    assert error.size >= 64 * MIB


@pytest.mark.parametrize("size", [1, 7, 1000, PIECE_BYTES])
def test_gzip_is_unpacked_with_all_its_members(size: int) -> None:
    packed = PACKED + b"\0" * 9 + gzip.compress(b"") + gzip.compress(b"\0" * 300_000)
    pieces = list(unpacked(packed[at : at + size] for at in range(0, len(packed), size)))
    assert b"".join(pieces) == LINES + b"\0" * 300_000
    assert max(map(len, pieces)) <= PIECE_BYTES


@pytest.mark.parametrize("data", [b"", PACKED[:-1], PACKED[:5], PACKED + PACKED[:-4], PACKED + b"no gzip"])
def test_gzip_that_is_broken_is_not_taken_for_whole(data: bytes) -> None:
    with pytest.raises((EOFError, zlib.error)):
        list(unpacked([data]))


def test_views_that_show_the_lines_later_are_waited_for(pipeline: Pipeline, source: Source) -> None:
    pipeline.put({KEY: LINES})
    url = f"s3://{pipeline.bucket}/{KEY}"
    seen = [(1, "ts", "Invalid digit"), (3, "ts", "Invalid digit")]
    for said, counted in ((["INFO:  2 record(s) could not be loaded.  Check …\n"], None), (None, 2)):
        warehouse: Any = Refused(url, seen, said, blank=4, counted=counted)
        assert [error.value for error in lines_left_out(warehouse, source, PATHS)] == ['"x0"', '"x2"']
    warehouse = Refused(url, seen[:1], blank=4)
    assert [error.line for error in why_copy_failed(warehouse, source, PATHS, FAILED, since=1)] == [1]


@pytest.mark.parametrize(
    ("said", "counted", "words"),
    [
        (["3 record(s) could not be loaded"], None, "COPY left out 3 line.s., and the .* views show 2 of them after"),
        (["1 record(s) could not be loaded"], None, "COPY left out 1 line.s., and the .* views show 2 of them after"),
        (None, 4, "COPY left out 4 line.s., and the .* views show 2 of them after"),
        (None, None, "COPY did not say how many lines it left out, and sys_load_history did not in"),
    ],
)
def test_lines_that_the_views_do_not_show_fail_the_load(
    pipeline: Pipeline, source: Source, said: list[str] | None, counted: int | None, words: str
) -> None:
    pipeline.put({KEY: LINES})
    seen = [(1, "ts", "Invalid digit"), (3, "ts", "Invalid digit")]
    warehouse: Any = Refused(f"s3://{pipeline.bucket}/{KEY}", seen, said, counted=counted)
    with pytest.raises(Unavailable, match=f"{words}.*othing was loaded. Clear this task"):
        lines_left_out(warehouse, source, PATHS)


def test_a_copy_that_left_nothing_out_asks_no_view(source: Source) -> None:
    class Silent(Refused):
        def rows(self, sql: str) -> list[tuple[Any, ...]]:
            raise AssertionError(sql)

    warehouse: Any = Silent("", [], ["Load into table 'incoming' completed, 9 record(s) loaded successfully."])
    assert lines_left_out(warehouse, source, PATHS) == []


def test_a_copy_that_failed_before_it_read_anything_has_no_lines(source: Source) -> None:
    warehouse: Any = Refused("", [(1, "ts", "of the COPY before")])
    assert why_copy_failed(warehouse, source, PATHS, FAILED, since=2) == []


def test_only_the_first_lines_are_listed() -> None:
    errors = [LoadError("s3://b/k", number, "", "no", None, None) for number in range(1, 13)]
    lines = load_errors.listed(errors).splitlines()
    assert lines[0] == "  s3://b/k, line 1: no"
    assert lines[-1] == "  … and 2 more"
    assert len(lines) == load_errors.SHOWN + 1
    assert list(itertools.islice(load_errors.listed(errors[:1], 5).splitlines(), 2)) == ["  s3://b/k, line 1: no"]
