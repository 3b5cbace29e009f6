"""A file is taken apart as COPY takes it: the same objects, the same lines, and no more memory than one object."""

from __future__ import annotations

import itertools
import json
import time
import tracemalloc
from collections import deque
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.redshift.load.objects import objects
from sparkify.loading.json_objects import MOST_BYTES, json_objects

PIECE = 1 << 16
MIB = 1 << 20
# How a file may be made up, good and bad.
SCRAPS = (
    *('{"a": 1}', '{"a": "x", "b": {"c": [1, {}]}}', '{"a": "}{\\"\\\\"}', "{}", "[]", '[{"a": 1}]'),
    *('{"a": oops}', '{"a": "unclosed', '{"a": {"b": 1}', '{"a": [1,', '{"a":', "}", "]", "{", "[", ",", ":", '"'),
    *("oops", "\x1a", "\ufeff", "\0", " ", "\t", "\r", "\n", "\n", "\n", "\r\n", "\\", "é", "1.5", "null"),
)


def in_pieces(data: bytes, size: int = PIECE) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def read(data: bytes, size: int = PIECE) -> list[tuple[int, bytes, bool]]:
    """Each object by its line, its text, and whether it is sound."""
    return [(one.line, one.text, one.is_json) for one in json_objects(in_pieces(data, size))]


@pytest.mark.parametrize("size", [1, 2, 5, PIECE])
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b" \n\r\n\t", []),
        (b'{"a": 1}\n\n{"a": 2}', [(1, b'{"a": 1}', True), (3, b'{"a": 2}', True)]),
        (b'{"a": 1} {"a": 2}\n', [(1, b'{"a": 1}', True), (1, b'{"a": 2}', True)]),
        (b'{\n "a": [1,\n  2],\n "b": {}\n}\n{}', [(5, b'{\n "a": [1,\n  2],\n "b": {}\n}', True), (6, b"{}", True)]),
        (b'{"a": 1}\r\r\n{"a": \r2}\r\r\n', [(1, b'{"a": 1}', True), (2, b'{"a": \r2}', True)]),
        (b'{"a": "}"}\n{"a": "\\"}"}', [(1, b'{"a": "}"}', True), (2, b'{"a": "\\"}"}', True)]),
        (b'{"a": 1}\n{"a": oops}\r\n \n\n', [(1, b'{"a": 1}', True), (2, b'{"a": oops}', False)]),
        (b'{\n"a": oops\n}\n{}', [(3, b'{\n"a": oops\n}', False), (4, b"{}", True)]),
        # What never ends is named by the line where it begins, up to the next line that can be no part of it.
        (b'{"a": 1\n', [(1, b'{"a": 1', False)]),
        (b'{\n"a": 1,\n"b": 2\n\n{}\n', [(1, b'{\n"a": 1,\n"b": 2', False), (5, b"{}", True)]),
        (b'{"a": "x\n{"a": 2}\n', [(1, b'{"a": "x', False), (2, b'{"a": 2}', True)]),
        (b'{"a": "x:\n{"a": 2}\n', [(1, b'{"a": "x:', False), (2, b'{"a": 2}', True)]),
        (b'{"a":\n{"b": 1}\n{"c": 1}', [(1, b'{"a":\n{"b": 1}', False), (3, b'{"c": 1}', True)]),
        (b'{"a": [1,\n{"b": 1}\n{"c": 1}', [(1, b'{"a": [1,\n{"b": 1}', False), (3, b'{"c": 1}', True)]),
        # What stands between objects is a line of its own.
        (b'{"a":1},\n{"a":2},\n', [(1, b'{"a":1}', True), (1, b",", False), (2, b'{"a":2}', True), (2, b",", False)]),
        (b'[{"a":1},\n{"a":2}\n]\n{}', [(3, b'[{"a":1},\n{"a":2}\n]', False), (4, b"{}", True)]),
        (b'\xef\xbb\xbf{"a":1}\n{}\n\x1a', [(1, b'\xef\xbb\xbf{"a":1}', False), (2, b"{}", True), (3, b"\x1a", False)]),
    ],
)  # fmt: skip
def test_objects_are_found_with_their_lines(data: bytes, expected: list[tuple[int, bytes, bool]], size: int) -> None:
    assert read(data, size) == expected


@given(st.lists(st.sampled_from(SCRAPS), max_size=12).map("".join), st.integers(1, 9))
@settings(max_examples=settings().max_examples * 4, deadline=None)
def test_lines_and_texts_are_those_of_copy(text: str, size: int) -> None:
    copied = [(one.line + 1, one.text.encode().rstrip(), one.refused is None) for one in objects(text, final=True)]
    assert read(text.encode(), size) == copied


def test_an_object_too_large_to_be_loaded_is_named_by_its_first_line() -> None:
    large = b'{"a": 1}\n{"a": "' + b"x" * (MOST_BYTES + 10) + b'",\n"b": 1}\n{"c": 1}'
    found = list(json_objects(in_pieces(large)))
    assert [(one.line, one.last, one.is_json) for one in found] == [(1, 1, True), (2, 3, False), (4, 4, True)]
    assert found[1].size == MOST_BYTES + 10 + len('{"a": "",\n"b": 1}')
    assert len(found[1].text) == MOST_BYTES


def repeated(text: bytes, size: int) -> Iterator[bytes]:
    piece = (text * (PIECE // len(text) + 1))[:PIECE]
    return itertools.repeat(piece, size // PIECE)


@pytest.mark.parametrize(
    ("before", "text", "after"),
    [
        (b"", b"\0", b""),
        (b"", b"\n", b""),
        (b'{"a": "', b"x", b'"}'),
        (b'{"a": ', b"[", b"}"),
        (b'{"a": [', b"[],", b"[]]}"),
        (b'{"a": ', b"}", b""),
        (b"[", b"}", b""),
        (b"{", b'"', b""),
        (b'{"', b"\\", b""),
    ],
    ids=repr,
)
@pytest.mark.cost
def test_no_file_takes_much_memory_or_time(before: bytes, text: bytes, after: bytes) -> None:
    pieces: Iterable[bytes] = itertools.chain([before], repeated(text, 64 * MIB), [after, b'\n{"a": 1}'])
    tracemalloc.start()
    began = time.process_time()
    last = deque(json_objects(pieces), maxlen=1).pop()
    # Tracing takes most of the time.
    assert time.process_time() - began < 60
    assert tracemalloc.get_traced_memory()[1] < 50 * MIB
    tracemalloc.stop()
    assert json.loads(last.text) == {"a": 1}
