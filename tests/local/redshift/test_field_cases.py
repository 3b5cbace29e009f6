"""COPY of files from the field: each line is loaded or refused, never both, and an error is of the file's own text."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from tests.field.cases import Case, cases

Put = Callable[[str, object], str]
Error = tuple[int, str, int, str, str, str]
COLUMNS = (
    "artist varchar(256), iteminsession int, length decimal(10,5), location varchar(256), song varchar(256), "
    "registration double precision, status int, ts bigint, useragent varchar(512), userid int"
)
OPTIONS = "iam_role default format json 'auto ignorecase' maxerror 100"
MASKED = str.maketrans(dict.fromkeys(range(128, 1280), "."))


@pytest.fixture
def load(warehouse: psycopg.Connection, put: Put) -> Callable[[str, bytes], tuple[int, list[Error]]]:
    """Load one file; give the number of rows loaded and the errors."""
    warehouse.execute(f"create table x ({COLUMNS})")

    def run(key: str, data: bytes) -> tuple[int, list[Error]]:
        warehouse.execute("truncate x")
        gzipped = "gzip" if key.endswith(".gz") else ""
        warehouse.execute(f"copy x from '{put(key, data)}' {OPTIONS} {gzipped}")
        loaded = warehouse.execute("select count(*) from x").fetchone()
        return (loaded or (0,))[0], errors(warehouse)

    return run


def errors(warehouse: psycopg.Connection) -> list[Error]:
    return warehouse.execute(
        "select line_number, rtrim(colname), err_code, rtrim(raw_line), rtrim(raw_field_value), rtrim(err_reason) "
        "from stl_load_errors where query = pg_last_copy_id() order by line_number"
    ).fetchall()


def files(*numbers: int) -> list[Any]:
    """Every delivery of every case with one of these numbers."""
    return [
        pytest.param(key, data, id=f"{case}-{delivery.name}")
        for number in numbers
        for case in cases(number)
        for delivery in sorted(case.folder.iterdir())
        if delivery.is_dir()
        for key, data in Case(case.folder).files(delivery.name).items()
    ]


def shown(line: bytes) -> str:
    """A line as the system tables show it."""
    return line.decode(errors="replace").strip().translate(MASKED)[:1024]


def objects_of(data: bytes) -> int:
    """How many objects stand at the beginning of a line."""
    return sum(line.startswith(b"{") for line in data.split(b"\n"))


@pytest.mark.parametrize(("key", "data"), files(3))
def test_half_a_surrogate_is_refused_where_it_stands(load: Any, key: str, data: bytes) -> None:
    lines = data.split(b"\n")
    (bad,) = [number for number, line in enumerate(lines, 1) if b"\\ud83d" in line or b"\\udcb0" in line]
    bytes_of_it = "ed a0 bd" if b"\\ud83d" in data else "ed b2 b0"
    loaded, found = load(key, data)
    assert loaded == objects_of(data) - 1
    ((line, column, code, raw_line, _, reason),) = found
    assert (line, column, code, raw_line) == (bad, "song", 1220, shown(lines[bad - 1]))
    assert (
        reason
        == f"String contains invalid or unsupported UTF-8 codepoints. Bad UTF-8 hex sequence: {bytes_of_it} (error 5)"[
            :100
        ]
    )


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(("key", "data"), files(5))
def test_lines_are_counted_by_line_feeds(load: Any, key: str, data: bytes, compressed: bool) -> None:
    lines = data.split(b"\n")
    (bad,) = [number for number, line in enumerate(lines, 1) if b"nope" in line]
    loaded, found = load(key + ".gz", gzip.compress(data)) if compressed else load(key, data)
    assert loaded == objects_of(data) - 1
    ((line, column, code, raw_line, value, reason),) = found
    assert (line, column, code, value) == (bad, "iteminsession", 1207, "nope")
    assert raw_line == shown(lines[bad - 1])
    assert reason == "Invalid digit, Value 'n', Pos 0, Type: Integer"


@pytest.mark.parametrize(("key", "data"), files(6))
def test_a_broken_last_line_is_the_last_line(load: Any, key: str, data: bytes) -> None:
    lines = data.rstrip().split(b"\n")
    loaded, found = load(key, data)
    assert loaded == len(lines) - 1
    ((line, column, code, raw_line, value, _),) = found
    assert (line, column, code, raw_line, value) == (len(lines), "", 1216, shown(lines[-1]), "")


@pytest.mark.parametrize(("key", "data"), files(15))
def test_what_is_no_utf_8_json_is_named(load: Any, warehouse: psycopg.Connection, key: str, data: bytes) -> None:
    if key.endswith(".gz"):
        with pytest.raises(psycopg.Error, match=r"events\.json\.gz is not valid gzip"):
            load(key, data)
        return
    if data.startswith(b"\xef\xbb\xbf"):
        loaded, ((line, _, code, _, _, reason),) = load(key, data)
        assert (loaded, line, code) == (objects_of(data), 1, 1216)
        assert reason.endswith("not with a byte order mark (BOM)")
    elif data.endswith(b"\x1a"):
        loaded, ((line, _, code, raw_line, _, reason),) = load(key, data)
        assert (loaded, line, code, raw_line) == (objects_of(data), data.count(b"\n") + 1, 1216, "\x1a")
        assert reason.endswith("not with Ctrl-Z (0x1a)")
    else:
        with pytest.raises(psycopg.Error, match="Load into table 'x' failed"):
            load(key, data)
        ((line, _, code, _, _, reason),) = errors(warehouse)
        if data.startswith(b"\x1f\x8b"):
            assert (line, code) == (1, 1216)
            assert "the file is compressed by gzip" in reason
        else:
            assert (line, code) == (1, 1221)
            assert "it is UTF-16" in reason


@pytest.mark.parametrize(("key", "data"), files(18))
def test_commas_between_objects_are_refused_and_the_objects_loaded(load: Any, key: str, data: bytes) -> None:
    loaded, found = load(key, data)
    if data.startswith(b"["):
        # One structure, and no row: https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-format.html
        assert loaded == 0
        ((line, _, code, _, _, reason),) = found
        assert (line, code) == (data.count(b"\n"), 1216)
        assert reason.startswith("Invalid JSONPath format: Member is not an object.")
    else:
        commas = [number for number, line in enumerate(data.split(b"\n"), 1) if line.rstrip().endswith(b",")]
        assert loaded == objects_of(data)
        assert [(error[0], error[2], error[3]) for error in found] == [(number, 1216, ",") for number in commas]


@pytest.mark.parametrize(("key", "data"), files(20))
def test_a_value_and_its_position_are_those_of_the_file(load: Any, key: str, data: bytes) -> None:
    lines = data.split(b"\n")
    loaded, ((line, column, code, _, value, reason),) = load(key, data)
    written = lines[line - 1].split(b'"ts": ')[1].split(b",")[0].decode()
    assert (loaded, column, code, value) == (objects_of(data) - 1, "ts", 1207, written)
    assert "E" in written
    assert reason == "Invalid digit, Value '.', Pos 1, Type: Long"


@pytest.mark.parametrize(("key", "data"), files(21))
def test_deep_nesting_is_refused_and_the_other_lines_loaded(load: Any, key: str, data: bytes) -> None:
    loaded, ((line, _, code, raw_line, _, reason),) = load(key, data)
    assert (loaded, line, code) == (objects_of(data) - 1, 1, 1216)
    assert reason == "Invalid JSON format: it is nested too deeply"
    assert raw_line == shown(data.split(b"\n")[0])


HOSTILE = {
    "null byte": ("\\u0000", 1218),
    "half a surrogate": ("x\\ud83d", 1220),
    "other half": ("\\udca9x", 1220),
    "halves in the wrong order": ("\\udca9\\ud83d", 1220),
    "emoji": ("\\ud83d\\udca9", 0),
    "control characters": ("".join(f"\\u{code:04x}" for code in range(1, 0x20)), 0),
    "C1": ("\x80\x9b2J\x85", 0),
    "delete": ("\x7f", 0),
    "bidi": ("\u202egnp.exe\u2066", 0),
    "line separators": ("a\u2028b\u2029c", 0),
    "carriage return": ("a\\rb\\r\\nc", 0),
    "byte order mark": ("\ufeff", 0),
    "no character": ("\uffff\ufdd0", 0),
}


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("options", ["'auto'", "'auto ignorecase'"])
def test_any_text_in_any_place_is_loaded_or_refused_in_words(
    warehouse: psycopg.Connection, put: Put, hostile: str, options: str
) -> None:
    text, code = HOSTILE[hostile]
    warehouse.execute("create table x (line int, a varchar(500), b int)")
    placed = [
        f'{{"line": 1, "a": "{text}"}}',
        f'{{"line": 2, "{text}": 1}}',
        f'{{"line": 3, "a": {{"{text}": ["{text}"]}}}}',
        f'{{"line": 4, "b": "{text}"}}',
        f'{{"line": 5, "other": [{{"{text}": "{text}"}}]}}',
    ]
    uri = put("hostile.json", "\n".join(placed))
    warehouse.execute(f"copy x from '{uri}' iam_role default format json {options} maxerror 100")
    found = {error[0]: error[2] for error in errors(warehouse)}
    loaded: dict[int, str | None] = dict(warehouse.execute("select line, a from x").fetchall())
    assert found == ({1: code, 3: code, 4: 1207} if code == 1220 else {1: code, 4: 1207} if code else {4: 1207})
    assert loaded.keys() == {1, 2, 3, 4, 5} - found.keys()
    if not code:
        assert loaded[1] == json.loads(f'"{text}"')


@pytest.mark.parametrize("where", ["the manifest's url", "a jsonpath", "the manifest itself"])
def test_what_is_no_utf_8_beside_the_data_is_refused_in_words(
    warehouse: psycopg.Connection, put: Put, where: str
) -> None:
    warehouse.execute("create table x (a int)")
    data = put("one.json", {"a": 1})
    manifest = put("m.json", '{"entries": [{"url": "s3://sparkify/\\ud83d.json", "mandatory": true}]}')
    paths = put("p.json", '{"jsonpaths": ["$.a\\ud83d"]}')
    latin = put("latin.json", b'{"entries": [{"url": "s3://sparkify/\xe9.json"}]}')
    statement, words = {
        "the manifest's url": (
            f"'{manifest}' iam_role default json 'auto' manifest",
            "The manifest .*surrogates not allowed",
        ),
        "a jsonpath": (f"'{data}' iam_role default json '{paths}'", "The jsonpaths file .*surrogates not allowed"),
        "the manifest itself": (
            f"'{latin}' iam_role default json 'auto' manifest",
            "The manifest .*can't decode byte 0xe9",
        ),
    }[where]
    with pytest.raises(psycopg.Error, match=words):
        warehouse.execute(f"copy x from {statement}")
    assert warehouse.execute("select count(*) from x").fetchall() == [(0,)]


@pytest.mark.parametrize("raw", [bytes([code]) for code in range(0x20)])
def test_a_raw_control_character_is_refused_and_the_other_lines_loaded(
    load: Any, warehouse: psycopg.Connection, raw: bytes
) -> None:
    text = b'{"song": "x' + raw + b'y"}'
    loaded, found = load("raw.json", b'{"song": "a"}\n' + text + b'\n{"song": "b"}\n')
    assert loaded == 2
    # A line feed makes two lines of it.
    assert [(error[0], error[2]) for error in found] == [(2, 1216)]
    assert found[0][3] == shown(text).replace("\0", " ")
