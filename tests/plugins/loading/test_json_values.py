"""A value is shown as the file has it, also where the object is no JSON."""

from __future__ import annotations

import pytest

from sparkify.loading.json_values import steps, written

DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        (b'{"ts": 1.547546460796E12, "b": 1}', ["ts"], b"1.547546460796E12"),
        (b'{"a": "\\u0041" , "b": 1}', ["a"], b'"\\u0041"'),
        (b'{"b":  "x\\ud83d" , "a": 2}', ["b"], b'"x\\ud83d"'),
        (b'{"a": oops, "b": 1}', ["a"], b"oops"),
        (b'{"a": oops, "b": 1}', ["b"], b"1"),
        (b'{"a": {"b": [1, {"c": "}"}]} }', ["a", "b"], b'[1, {"c": "}"}]'),
        (b'{"a": {"b": 1, x} }', ["a", "b"], b"1"),
        (b'{"x": {"a": 1}, "y": oops, "a": 2', ["a"], b"2"),
        (b'{"a": 1, "a": 2}', ["a"], b"2"),
        (b'{"\\u0061": 1, "z":oops}', ["a"], b"1"),
        (b'{"q\\"x": 5}', ['q"x'], b"5"),
        (b'{"b": 5, "a":' + DEEP + b"}", ["b"], b"5"),
        (b'{"a":' + DEEP + b', "b": 5}', ["b"], None),
        (b'{"a": "unclosed', ["a"], b'"unclosed'),
        (b'{"a": "\xff"}', ["a"], b'"\xff"'),
        (b'{"a": null}', ["a"], b"null"),
        (b"[1]", ["a"], None),
        (b"", ["a"], None),
        (b'{"a": 1}', ["b"], None),
        (b'{"a": 1}', ["a", "b"], None),
    ],
)
def test_a_value_stays_as_it_is_written(text: bytes, path: list[str], expected: bytes | None) -> None:
    assert written(text, path) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [("$['a']['b']", ("a", "b")), ("$.a.b", ("a", "b")), ("$['it.em']", ("it.em",)), ('$["x y"]', ("x y",))],
)
def test_a_jsonpath_is_the_names_that_it_goes_through(path: str, expected: tuple[str, ...]) -> None:
    assert steps(path) == expected
