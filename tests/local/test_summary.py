from __future__ import annotations

from local.summary import bars, numbers, weekdays


def test_weekdays_begin_with_monday_and_none_is_left_out() -> None:
    assert weekdays([(6, 5), (0, 7)]) == [
        ("Monday", 7), ("Tuesday", 0), ("Wednesday", 0), ("Thursday", 0), ("Friday", 0), ("Saturday", 0), ("Sunday", 5),
    ]  # fmt: skip


def test_bars_are_as_long_as_their_numbers_are_large() -> None:
    assert bars([("Monday", 2_000), ("Tuesday", 1_000), ("Sunday", 0)]) == [
        f"  Monday   {'█' * 40} 2,000",
        f"  Tuesday  {'█' * 20} 1,000",
        "  Sunday    0",
    ]


def test_nothing_has_no_bar() -> None:
    assert bars([("Monday", 0)]) == ["  Monday   0"]


def test_numbers_stand_below_each_other_after_names_of_any_width() -> None:
    assert numbers([("time", 1_234_567), ("曲", 1)]) == ["  time     1,234,567", "  曲               1"]
