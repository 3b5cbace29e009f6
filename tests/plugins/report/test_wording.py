"""Numbers and dates, as people read them."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from sparkify.report.wording import cell, listed, multiple, number, percent, span


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (1234567, "1,234,567"), (77.8, "78"), (3.44, "3.4"), (0.0147, "0.015"), (2.0, "2")]
)
def test_a_number_has_as_many_digits_as_tell_something(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("share", "whole", "text"),
    [
        (0, 0, "0%"), (0, 9, "0%"), (9, 9, "100%"), (1, 2, "50%"), (1, 3, "33.3%"), (1, 6820, "0.015%"),
        (1, 1_000_000, "under 0.01%"), (99_999, 100_000, "over 99.9%"),
    ],
)  # fmt: skip
def test_a_share_is_rounded_but_never_to_nothing_or_all(share: int, whole: int, text: str) -> None:
    assert percent(share, whole) == text


def test_how_many_times_is_said_with_one_digit() -> None:
    assert [multiple(5591, 1229), multiple(4, 2), multiple(100, 8)] == ["4.5", "2", "12"]


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        (date(2018, 11, 1), date(2018, 11, 1), "1 November 2018"),
        (date(2018, 11, 1), date(2018, 11, 30), "1 to 30 November 2018"),
        (date(2018, 11, 1), date(2018, 12, 3), "1 November to 3 December 2018"),
        (date(2018, 11, 1), date(2019, 1, 3), "1 November 2018 to 3 January 2019"),
    ],
)
def test_a_span_is_told_as_short_as_it_can_be(first: date, last: date, text: str) -> None:
    assert span(first, last) == text


def test_names_are_listed_as_in_a_sentence() -> None:
    assert [listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])] == ["a", "a and b", "a, b and c"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "unknown"), (1234, "1,234"), (0.5, "0.50"), ("a", "a"), (date(2018, 11, 1), "2018-11-01"),
        (datetime.fromisoformat("2018-11-01T16:00"), "2018-11-01 16:00"),
    ],
)  # fmt: skip
def test_a_cell_shows_its_value(value: object, text: str) -> None:
    assert cell(value) == text
