"""Bounds leave no row out, and hold no text of a file."""

from __future__ import annotations

import json

import pytest

from sparkify.loading.bounds import ALWAYS, MOST_VALUES, NEVER, Names, filled, read_bounds, read_spans, read_values
from sparkify.loading.exceptions import SettingsError
from tests.pipeline import Pipeline


@pytest.mark.parametrize("conn_type", ["redshift", "postgres"])
@pytest.mark.parametrize(
    ("type_name", "values", "bounded"),
    [
        ("integer", ["5", "-7", "12"], True),
        ("bigint", ["9223372036854775807", "-9223372036854775808"], True),
        ("date", ["'2018-11-01'", "'2018-10-31'"], True),
        ("timestamp", ["'2018-11-01 00:00:00.001'", "'2018-11-01'"], True),
        ("timestamp", ["'2018-11-01'"] * 2, True),
        ("timestamp", ["'2018-11-01'", "'9999-12-31 23:59:59.999999'"], True),
        # The driver shows the first two as the end of the year 9999, and the third as the year 1.
        ("timestamp", ["'2018-11-01'", "timestamp 'epoch' + 1547805600796 * interval '1 second'"], False),
        ("date", ["'2018-11-01'", "'12018-11-01'"], False),
        ("timestamp", ["'2018-11-01'", "timestamp 'epoch' - 99999999999 * interval '1 second'"], False),
        ("timestamp", ["'2018-11-01'", "null"], True),
        ("integer", ["null"], True),
        ("varchar(64)", ["'b'", "'a'"], False),
        ("varchar(64)", ["'12'", "'2018-11-01'''"], False),
        ("varchar(64)", ["'12'", "'7'"], True),
        ("integer", [], True),
    ],
)
def test_the_bounds_of_a_column_leave_no_row_out(
    pipeline: Pipeline, conn_type: str, type_name: str, values: list[str], bounded: bool
) -> None:
    connection = json.loads(pipeline.stack.env["AIRFLOW_CONN_REDSHIFT_DEFAULT"])
    extra = {"sslmode": "disable"} if conn_type == "postgres" else {"ssl": False}
    pipeline.set_connection("redshift_default", {**connection, "conn_type": conn_type, "extra": extra})
    with pipeline.session() as warehouse:
        warehouse.execute(f"create temp table found (v {type_name})")
        for value in values:
            warehouse.execute(f"insert into found (v) select {value}")
        count, bounds = read_bounds(warehouse, "found", ["v"])
        assert count == len(values)
        assert (bounds["v"] != ALWAYS) is bounded
        condition = f"{bounds['v']} or v is null" if bounds["v_is_missing"] == ALWAYS else bounds["v"]
        assert warehouse.rows(f"select count(*) from found where {condition}") == [(len(values),)]


def test_a_name_is_replaced_by_its_condition_and_an_unknown_one_is_refused() -> None:
    sql = f"select 1 from t where {Names().ts} and at = '12:30'"
    assert (
        filled(sql, {"ts": "ts between '1' and '2'"}) == "select 1 from t where ts between '1' and '2' and at = '12:30'"
    )
    with pytest.raises(SettingsError, match=r"bounds\.ts is unknown here\. Known are start_time\."):
        filled(sql, {"start_time": ALWAYS})


def test_a_span_is_of_the_columns_that_a_select_names(pipeline: Pipeline) -> None:
    with pipeline.session() as warehouse:
        spans = read_spans(
            warehouse,
            "select '5' as first_ts, '7' as last_ts,"
            " cast(null as varchar(64)) as first_at, cast(null as varchar(64)) as last_at",
        )
    assert spans == {"ts": "ts between '5' and '7'", "at": "1 = 0"}


DAY = 86_400_000
A_DAY_OF = {"bigint": "v / 86400000", "timestamp": "date_trunc('day', v)"}
AS = {"bigint": "{}", "timestamp": "timestamp 'epoch' + {} / 1000 * interval '1 second'"}


@pytest.mark.parametrize("type_name", A_DAY_OF)
@pytest.mark.parametrize(
    ("days", "dense", "named"),
    [
        # Two of each of many days, and one day of a hundred: what lies between is not looked at.
        (20, [40], True),
        (9, [], True),
        # So few that one span will do.
        (3, [5], False),
        # As many of each day as of any.
        (0, range(60), False),
        (20, range(20, 60), False),
        (MOST_VALUES, [], False),
    ],
)
def test_values_that_lie_alone_are_named_and_what_lies_between_is_not_read(
    pipeline: Pipeline, type_name: str, days: int, dense: list[int], named: bool
) -> None:
    alone = [day * DAY + at for day in range(days) for at in (5_000, 70_000_000)]
    crowded = [day * DAY + at * 1000 for day in dense for at in range(100)]
    rows = ", ".join(f"({value})" for value in [*alone, *crowded])
    with pipeline.session() as warehouse:
        warehouse.execute("create temp table numbers (n bigint)")
        warehouse.execute(f"insert into numbers (n) values {rows}")
        warehouse.execute(f"create temp table found as select {AS[type_name].format('n')} as v from numbers")
        _, bounds = read_bounds(warehouse, "found", ["v"], {"v": A_DAY_OF[type_name]})
        assert ("v in (" in bounds["v"]) is named
        assert warehouse.rows(f"select count(*) from found where {bounds['v']}") == [(len(alone) + len(crowded),)]
        between = AS[type_name].format(f"cast({DAY + 10_000} as bigint)")
        other = f"select count(*) from (select {between} as v) as other where {bounds['v']}"
        assert warehouse.rows(other) == [(0 if named else 1,)]


@pytest.mark.parametrize(
    ("select", "condition"),
    [
        ("'180.12345' as v union all select '200'", "v in ('180.12345', '200')"),
        ("cast(null as varchar(9)) as v", NEVER),
        ("'a' as v", ALWAYS),
        ("'1'' or 1 = 1 --' as v", ALWAYS),
    ],
)
def test_the_values_of_a_select_are_literals_if_they_are_numbers(
    pipeline: Pipeline, select: str, condition: str
) -> None:
    with pipeline.session() as warehouse:
        assert read_values(warehouse, f"select {select}") == {"v": condition}


def test_of_very_many_values_the_span_is_taken(pipeline: Pipeline) -> None:
    with pipeline.session() as warehouse:
        warehouse.execute("create temp table numbers (n bigint)")
        warehouse.execute(f"insert into numbers (n) values {', '.join(f'({n})' for n in range(MOST_VALUES + 1))}")
        found = read_values(warehouse, "select cast(n as varchar(64)) as v from numbers order by n")
    assert found == {"v": f"v between '0' and '{MOST_VALUES}'"}
