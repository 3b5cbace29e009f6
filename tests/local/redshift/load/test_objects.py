from __future__ import annotations

import time

import pytest

from local.redshift.load.objects import MAX_OBJECT_BYTES, objects


def read(text: bytes, *, final: bool = True) -> list[tuple[int, bytes, bool]]:
    """The objects with the number of their line, counted from 1, and whether they were refused."""
    found = objects(text.decode(errors="surrogateescape"), final)
    return [
        (one.line + 1, one.text.encode(errors="surrogateescape"), (one.refused or one.unfit) is not None)
        for one in found
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b'{"a":1}\n{"a":2}', [(1, b'{"a":1}', False), (2, b'{"a":2}', False)]),
        (b'{"a":1}\r\n{"a":2}\r\n', [(1, b'{"a":1}', False), (2, b'{"a":2}', False)]),
        (b'{"a":1} {"a":2}', [(1, b'{"a":1}', False), (1, b'{"a":2}', False)]),
        (b'{\n "a": {"b": "}"}\n}\n\n{}', [(3, b'{\n "a": {"b": "}"}\n}', False), (5, b"{}", False)]),
        (b'{"a":[\n{"b":1},\n{"b":2}\n]}', [(4, b'{"a":[\n{"b":1},\n{"b":2}\n]}', False)]),
        (b'{"a":"\\"}"}', [(1, b'{"a":"\\"}"}', False)]),
        (b"[1]\n{}", [(1, b"[1]", True), (2, b"{}", False)]),
        (b"1\n2\n{}", [(1, b"1", True), (2, b"2", True), (3, b"{}", False)]),
        (b'{"a": "open\n{}', [(1, b'{"a": "open', True), (2, b"{}", False)]),
        (b'{"a": 1\n{}', [(1, b'{"a": 1', True), (2, b"{}", False)]),
        (b'{"a": NaN}\n{}', [(1, b'{"a": NaN}', True), (2, b"{}", False)]),
        (b'{"a": "\xff"}\n{}', [(1, b'{"a": "\xff"}', True), (2, b"{}", False)]),
        (b'{"a": 1', [(1, b'{"a": 1', True)]),
        (b'{"a": 1\n', [(1, b'{"a": 1', True)]),
        (b'{"a": 1}\n{"a": oops}\r\n \n\n', [(1, b'{"a": 1}', False), (2, b'{"a": oops}', True)]),
        # A broken object ends with its bracket, and is reported at its last line.
        (b'{\n"a": oops\n}\n{}', [(3, b'{\n"a": oops\n}', True), (4, b"{}", False)]),
        (b'{"a": oops} {"b": 1}', [(1, b'{"a": oops}', True), (1, b'{"b": 1}', False)]),
        (b'{"a": "}", b: [}\n{}', [(1, b'{"a": "}", b: [}', True), (2, b"{}", False)]),
        # One without its bracket goes on to the next object, and is reported at the line where it begins.
        (b'{\n"a": 1,\n"b": 2\n\n{}\n', [(1, b'{\n"a": 1,\n"b": 2', True), (5, b"{}", False)]),
        (b'{}\n{"a": 1,\n{"b": 1}\n', [(1, b"{}", False), (2, b'{"a": 1,', True), (3, b'{"b": 1}', False)]),
        (b'{"a": [1,\n{"b": 1}\n{"c": 1}', [(1, b'{"a": [1,\n{"b": 1}', True), (3, b'{"c": 1}', False)]),
        (b'{"a":\n{"b": 1}\n{"c": 1}', [(1, b'{"a":\n{"b": 1}', True), (3, b'{"c": 1}', False)]),
        (b'{}\n{\n"a":\n[\n', [(1, b"{}", False), (2, b'{\n"a":\n[', True)]),
        # An array is one structure, and none of a row.
        (b'[{"a":1},\n{"a":2}\n]\n{}', [(3, b'[{"a":1},\n{"a":2}\n]', True), (4, b"{}", False)]),
        (b'[{"a":1},\n{"a":2}\n', [(1, b'[{"a":1},\n{"a":2}', True)]),
        (b'{"a":1},\n{"a":2},\n', [(1, b'{"a":1}', False), (1, b",", True), (2, b'{"a":2}', False), (2, b",", True)]),
        (b'\xef\xbb\xbf{"a":1}\n{}', [(1, b'\xef\xbb\xbf{"a":1}', True), (2, b"{}", False)]),
        (b"{}\r\r\n{}\r{}\r\r\noops", [(1, b"{}", False), (2, b"{}", False), (2, b"{}", False), (3, b"oops", True)]),
        (b"{}\n\x1a", [(1, b"{}", False), (2, b"\x1a", True)]),
        (b" \n\t\n", []),
    ],
)
def test_objects_are_found_with_their_last_line(text: bytes, expected: list[tuple[int, bytes, bool]]) -> None:
    assert read(text) == expected


@pytest.mark.parametrize("cut", ['{"a": 1', '{"a": "op', '{"a": [\n{"b": 1},', "nul"])
def test_an_object_that_may_go_on_is_left_for_later(cut: str) -> None:
    assert read(b'{"a":1}\n' + cut.encode(), final=False) == [(1, b'{"a":1}', False)]


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":' + b"[" * 200_000 + b"}" * 200_000,
        b"{" + b"[" * 200_000 + b'{"a"' * 100_000,
        b'{"a": oops' + b" " * 1_000_000 + b"x",
        b'{"a": oops' + b" \n" * 500_000 + b"x",
        b"oops" + b" " * 1_000_000 + b"x",
        b'{"a": "' + b"\\" * 1_000_000,
        b"oops\n" * 200_000,
    ],
)
def test_what_is_no_json_is_passed_over_in_one_go(text: bytes) -> None:
    began = time.process_time()
    assert all(bad for _, _, bad in read(text))
    # Looking back once a character would take hours.
    assert time.process_time() - began < 20


@pytest.mark.parametrize("final", [True, False])
def test_an_object_over_the_limit_is_refused_and_the_next_is_read(final: bool) -> None:
    huge = b'{"a": "' + b"x" * MAX_OBJECT_BYTES + b'"}'
    assert [(line, bad) for line, _, bad in read(huge + b"\n{}", final=final)] == [(1, True), (2, False)]


def test_nesting_without_end_is_refused() -> None:
    assert [bad for _, _, bad in read(b'{"a":' + b"[" * 200_000)] == [True]
