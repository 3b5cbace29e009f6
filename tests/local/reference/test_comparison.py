"""Missing, surplus and differing rows, counted and told with examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from local.reference import COLUMNS, KEYS, differences

LEVELS = ("user_id", "level")


def test_equal_rows_in_another_order_do_not_differ() -> None:
    found = differences([(1, "a"), (2, "b")], [(2, "b"), (1, "a")], (0,))
    assert not found
    assert list(found.lines(LEVELS)) == ["equal"]


def test_rows_are_told_apart_as_missing_surplus_and_differing() -> None:
    found = differences([(1, "a"), (2, "b"), (3, None)], [(1, "a"), (3, "c"), (4, "d")], (0,))
    assert found
    assert (found.missing, found.surplus, found.differing) == (1, 1, 1)
    assert found.missing_examples == [(2, "b")]
    assert found.surplus_examples == [(4, "d")]
    assert found.differing_examples == [((3, None), (3, "c"))]
    assert list(found.lines(LEVELS)) == [
        "1 missing, 1 surplus, 1 differing",
        "differs: user_id 3: level should be null, is 'c'",
        "missing: user_id 2, level 'b'",
        "surplus: user_id 4, level 'd'",
    ]


def test_without_a_key_a_row_is_there_or_it_is_not() -> None:
    found = differences([(1, "a")], [(1, "b")])
    assert (found.missing, found.surplus, found.differing) == (1, 1, 0)


def test_equal_rows_are_counted() -> None:
    found = differences([(1, "a")] * 3 + [(2, "b")], [(1, "a")] + [(2, "b")] * 3)
    assert (found.missing, found.surplus) == (2, 2)
    assert found.missing_examples == [(1, "a")] * 2
    assert found.surplus_examples == [(2, "b")] * 2


def test_a_key_held_twice_is_surplus() -> None:
    found = differences([(1, "a")], [(1, "a"), (1, "a"), (1, "b")], (0,))
    assert (found.missing, found.surplus, found.differing) == (0, 2, 0)


def test_a_key_held_twice_with_no_right_row_differs_once() -> None:
    found = differences([(1, "a")], [(1, "b"), (1, "c")], (0,))
    assert (found.missing, found.surplus, found.differing) == (0, 1, 1)


def test_the_smallest_examples_are_kept_and_everything_counted() -> None:
    found = differences([], [(n, None) for n in reversed(range(100))], (0,), examples=2)
    assert found.surplus == 100
    assert found.surplus_examples == [(0, None), (1, None)]


def test_numbers_are_compared_by_value_and_null_is_a_value() -> None:
    assert not differences([(Decimal("1.5"), None)], [(Decimal("1.50000"), None)])
    assert differences([(0, None)], [(0, "")])


def test_values_of_unlike_types_can_be_compared() -> None:
    found = differences([(1, "a"), (None, "a")], [("1", 5), (2.5, b"x")], (0,))
    assert (found.missing, found.surplus) == (2, 2)


def test_actual_rows_are_read_once_and_may_be_any_sequence() -> None:
    def cursor() -> Iterator[list[object]]:
        yield [1, "Ana", "paid", None]

    expected = [(1, "Ana", "free", None)]
    found = differences(expected, map(tuple, cursor()), (0,))
    columns = ("user_id", "first_name", "level", "last_seen_at")
    assert list(found.lines(columns))[1:] == ["differs: user_id 1: level should be 'free', is 'paid'"]


def test_every_table_but_staging_has_a_key() -> None:
    assert KEYS.keys() == COLUMNS.keys()
    for table, key in KEYS.items():
        assert set(key) <= set(COLUMNS[table]), table
        assert bool(key) is not table.startswith("staging_"), table


rows = st.lists(st.tuples(st.sampled_from([None, 1, 2, 3]), st.sampled_from([None, "", "a"])), max_size=8)


@given(rows, rows, st.sampled_from([(), (0,), (0, 1)]))
def test_taking_the_differences_away_leaves_equal_rows(
    expected: list[tuple[object, ...]], actual: list[tuple[object, ...]], key: tuple[int, ...]
) -> None:
    found = differences(expected, actual, key, examples=100)
    left = Counter(expected)
    left.subtract([*found.missing_examples, *(wanted for wanted, _ in found.differing_examples)])
    right = Counter(actual)
    right.subtract([*found.surplus_examples, *(got for _, got in found.differing_examples)])
    assert +left == +right
    assert bool(found) == (Counter(expected) != Counter(actual))
