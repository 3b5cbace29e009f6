from __future__ import annotations

import pytest

from local.redshift.load.objects import MAX_OBJECT_BYTES, ObjectReader


def read(text: bytes) -> list[tuple[int, bytes, bool]]:
    reader = ObjectReader()
    found = [item for line in text.split(b"\n") for item in reader.feed(line)]
    return [(line, raw, bool(reason)) for line, raw, reason in [*found, *reader.finish()]]


@pytest.mark.parametrize(
    ("text", "objects"),
    [
        (b'{"a":1}\n{"a":2}', [(1, b'{"a":1}', False), (2, b'{"a":2}', False)]),
        (b'{"a":1} {"a":2}', [(1, b'{"a":1}', False), (1, b'{"a":2}', False)]),
        (b'{\n "a": {"b": "}"}\n}\n\n{}', [(3, b'{\n "a": {"b": "}"}\n}', False), (5, b"{}", False)]),
        (b'{"a":"\\"}"}', [(1, b'{"a":"\\"}"}', False)]),
        (b"[1]\n{}", [(1, b"[1]", True), (2, b"{}", False)]),
        (b'{"a": "open\n{}', [(1, b'{"a": "open', True), (2, b"{}", False)]),
        (b'{"a": 1\n{}', [(1, b'{"a": 1', True), (2, b"{}", False)]),
        (b'{"a": 1', [(1, b'{"a": 1', True)]),
    ],
)
def test_objects_are_found_with_their_last_line(text: bytes, objects: list[tuple[int, bytes, bool]]) -> None:
    assert read(text) == objects


def test_an_object_over_the_limit_is_refused_and_the_next_is_read() -> None:
    huge = b'{"a": "' + b"x" * MAX_OBJECT_BYTES + b'"}'
    assert [(line, bad) for line, _, bad in read(huge + b"\n{}")] == [(1, True), (2, False)]
