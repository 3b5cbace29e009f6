from __future__ import annotations

import pytest

from local.redshift.load.objects import MAX_OBJECT_BYTES, objects


def read(text: bytes, *, final: bool = True) -> list[tuple[int, bytes, bool]]:
    """The objects with the number of their last line, counted from 1, and whether they were refused."""
    found = objects(text.decode(errors="surrogateescape"), final)
    return [(one.line + 1, one.text.encode(errors="surrogateescape"), one.refused is not None) for one in found]


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
        (b" \n\t\n", []),
    ],
)
def test_objects_are_found_with_their_last_line(text: bytes, expected: list[tuple[int, bytes, bool]]) -> None:
    assert read(text) == expected


@pytest.mark.parametrize("cut", ['{"a": 1', '{"a": "op', '{"a": [\n{"b": 1},', "nul"])
def test_an_object_that_may_go_on_is_left_for_later(cut: str) -> None:
    assert read(b'{"a":1}\n' + cut.encode(), final=False) == [(1, b'{"a":1}', False)]


@pytest.mark.parametrize("final", [True, False])
def test_an_object_over_the_limit_is_refused_and_the_next_is_read(final: bool) -> None:
    huge = b'{"a": "' + b"x" * MAX_OBJECT_BYTES + b'"}'
    assert [(line, bad) for line, _, bad in read(huge + b"\n{}", final=final)] == [(1, True), (2, False)]


def test_nesting_without_end_is_refused() -> None:
    assert [bad for _, _, bad in read(b'{"a":' + b"[" * 200_000)] == [True]
