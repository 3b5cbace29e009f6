from __future__ import annotations

import contextlib
import datetime as dt
import gzip
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from airflow.providers.amazon.aws.hooks.redshift_sql import RedshiftSQLHook

from tests.local.redshift.conftest import BUCKET, Connect, StandIn

Put = Callable[[str, object], str]


def copy(connection: psycopg.Connection, uri: str, options: str = "format json 'auto'", table: str = "x") -> None:
    connection.execute(f"copy {table} from '{uri}' iam_role default {options}")


def rows(connection: psycopg.Connection, sql: str = "select * from x order by 1") -> list[Any]:
    return connection.execute(sql).fetchall()


def lines(*objects: object) -> str:
    return "\n".join(value if isinstance(value, str) else json.dumps(value) for value in objects)


@pytest.mark.parametrize(
    ("type_", "json_value", "loaded"),
    [
        ("varchar(20)", '"a\\u00e9"', "aé"),
        ("varchar(20)", '""', ""),
        ("varchar(20)", "1540919166796.0", "1540919166796.0"),
        ("varchar(20)", "true", "true"),
        ("varchar(40)", '{"b": [1.50, "é\\"", null]}', '{"b":[1.50,"é\\"",null]}'),
        ("varchar(20)", "null", None),
        ("integer", '"39"', 39),
        ("integer", '" "', None),
        ("integer", "-2147483648", -2147483648),
        ("bigint", '""', None),
        ("decimal(10,5)", "232.463229", Decimal("232.46322")),
        ("decimal(10,5)", "-0.000019", Decimal("-0.00001")),
        ("decimal(10,5)", '"1.5"', Decimal("1.50000")),
        # A JSON number becomes a double, and is cut then; one in quotes is not.
        ("decimal(8,2)", "0.29", Decimal("0.28")),
        ("decimal(8,2)", '"0.29"', Decimal("0.29")),
        ("decimal(10,5)", "1e-1", Decimal("0.10000")),
        ("decimal(5,5)", "0.5", Decimal("0.50000")),
        ("decimal(38,0)", "12345678901234567890123", Decimal(12345678901234567741440)),
        (
            "decimal(38,20)",
            '"123456789012345678.12345678901234567890"',
            Decimal("123456789012345678.12345678901234567890"),
        ),
        ("double precision", "12345678901234567890", 1.2345678901234567e19),
        ("real", "1.5", 1.5),
        ("boolean", "true", True),
        ("boolean", '"n"', False),
        ("date", '"2018-11-01"', dt.date(2018, 11, 1)),
        ("timestamp", '"2018-11-01 21:01:46.796"', dt.datetime.fromisoformat("2018-11-01 21:01:46.796")),
    ],
)
def test_a_value_is_loaded_as(
    warehouse: psycopg.Connection, put: Put, type_: str, json_value: str, loaded: object
) -> None:
    warehouse.execute(f"create table x (a {type_})")
    copy(warehouse, put("value.json", f'{{"a": {json_value}}}'))
    assert rows(warehouse) == [(loaded,)]


@pytest.mark.parametrize(
    ("type_", "json_value", "code", "reason"),
    [
        ("integer", '"12x"', 1207, "Invalid digit, Value 'x', Pos 2, Type: Integer"),
        ("integer", "1.5", 1207, "Invalid digit, Value '.', Pos 1, Type: Integer"),
        ("bigint", "1.0", 1207, "Invalid digit, Value '.', Pos 1, Type: Long"),
        ("smallint", "40000", 1222, "Overflow (Max: 32767), Value 40000, Type: Short"),
        ("decimal(5,2)", "1000", 1209, "Overflow for NUMERIC(5,2)"),
        ("decimal(5,2)", '"NaN"', 1207, "Invalid digit, Value 'N', Pos 0, Type: Decimal"),
        ("varchar(3)", '"abcd"', 1204, "String length exceeds DDL length"),
        ("varchar(3)", '"\u00e9\u00e9"', 1204, "String length exceeds DDL length"),
        ("varchar(3)", '"\\u00e9\\u00e9"', 1204, "String length exceeds DDL length"),
        ("varchar(3)", '"\\u0000"', 1218, "Invalid null byte - field longer than 1 byte"),
        (
            "char(3)",
            '"a\\u00e9"',
            1220,
            "Multibyte character not supported for CHAR (Hint: Try using VARCHAR). Invalid char: c3 a9",
        ),
        (
            "varchar(9)",
            '"a\\ud83d"',
            1220,
            "String contains invalid or unsupported UTF-8 codepoints. Bad UTF-8 hex sequence: ed a0 bd (error 5)",
        ),
        ("real", "1e39", 1208, "Overflow, Value 1e39, Type: Real"),
        ("integer not null", "null", 1213, "Missing data for not-null field"),
        ("timestamp", '"soon"', 1206, "Invalid timestamp format or value [YYYY-MM-DD HH24:MI:SS]"),
    ],
)
def test_a_value_is_refused_with_redshifts_code(
    warehouse: psycopg.Connection, put: Put, type_: str, json_value: str, code: int, reason: str
) -> None:
    warehouse.execute(f"create table x (a {type_})")
    with pytest.raises(psycopg.Error, match="Load into table 'x' failed"):
        copy(warehouse, put("value.json", f'{{"a": {json_value}}}'))
    found = rows(
        warehouse,
        "select error_code, trim(error_message) from sys_load_error_detail where query_id = pg_last_query_id()",
    )
    assert found == [(code, reason)]
    assert rows(warehouse) == []


def test_a_failed_copy_names_file_line_column_and_value_after_the_rollback(
    connect: Connect, schema: str, put: Put
) -> None:
    connection = connect(autocommit=False)
    connection.execute("create table x (a varchar(9), b integer)")
    connection.commit()
    connection.execute("insert into x values ('kept', 0)")
    uri = put("bad.json", lines({"a": "fine", "b": 1}, {"a": "née", "b": "ten"}, {"a": "fine", "b": 3}))
    with pytest.raises(psycopg.Error, match=r"Check 'sys_load_error_detail' system table for details\."):
        copy(connection, uri)
    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        connection.execute("select 1")
    connection.rollback()
    assert rows(connection) == []
    found = rows(
        connection,
        "select trim(filename), line_number, trim(colname), trim(type), trim(raw_line), trim(raw_field_value), "
        "err_code from stl_load_errors "
        "where query = pg_last_query_id()",
    )
    assert found == [(uri, 2, "b", "int4", '{"a": "n\\u00e9e", "b": "ten"}', "ten", 1207)]


@pytest.mark.parametrize(("max_error", "fails"), [(0, True), (1, True), (2, True), (3, False)])
def test_maxerror_fails_at_that_many_errors(
    warehouse: psycopg.Connection, put: Put, max_error: int, fails: bool
) -> None:
    warehouse.execute("create table x (a integer)")
    uri = put("some-bad.json", lines({"a": 1}, "{no json}", {"a": "x"}, {"a": 4}))
    if fails:
        with pytest.raises(psycopg.Error, match="failed"):
            copy(warehouse, uri, f"format json 'auto' maxerror {max_error}")
        assert rows(warehouse) == []
    else:
        copy(warehouse, uri, f"format json 'auto' maxerror {max_error}")
        assert rows(warehouse) == [(1,), (4,)]
        found = rows(
            warehouse, "select line_number, error_code from sys_load_error_detail where query_id = pg_last_copy_id()"
        )
        assert found == [(2, 1216), (3, 1207)]


def test_a_manifest_is_loaded_exactly_with_jsonpaths_and_gzip(warehouse: psycopg.Connection, put: Put) -> None:
    warehouse.execute("create table x (a integer, b varchar(9) default 'd', c varchar(9))")
    one = put("days/1.json.gz", gzip.compress(b'{"A": 1, "n": {"l": ["p", "q"]}}\n') + gzip.compress(b'{"A": 2}'))
    put("days/10.json.gz", gzip.compress(b'{"A": 10}'))
    missing = f"s3://{BUCKET}/days/none.json.gz"
    manifest = put("m.json", {"entries": [{"url": one, "mandatory": True}, {"url": missing, "mandatory": False}]})
    paths = put("p.json", {"jsonpaths": ["$['A']", "$.n.l[1]"]})
    warehouse.execute(f"copy x (a, c) from '{manifest}' iam_role default json '{paths}' manifest gzip")
    assert rows(warehouse) == [(1, "d", "q"), (2, "d", None)]
    assert rows(warehouse, "select pg_last_copy_count()") == [(2,)]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("'s3://sparkify/nowhere/' iam_role default json 'auto'", "prefix 'nowhere/' does not exist"),
        ("'s3://no-such-bucket/x' iam_role default json 'auto'", "bucket does not exist.*no-such-bucket"),
        ("'s3://sparkify/m2.json' iam_role default json 'auto' manifest", "key does not exist.*none2.json"),
        ("'s3://sparkify/v' iam_role default json 's3://sparkify/no-paths'", "key does not exist.*no-paths"),
        (
            "'s3://sparkify/v' iam_role default json 's3://sparkify/two-paths'",
            "JSONPath size: 2, Number of columns .*: 1",
        ),
        ("'s3://sparkify/v' iam_role default json 'auto' gzip", "not valid gzip"),
    ],
)
def test_what_cannot_be_read_is_said_in_words(
    warehouse: psycopg.Connection, put: Put, options: str, words: str
) -> None:
    warehouse.execute("create table x (a integer)")
    put("v", {"a": 1})
    put("two-paths", {"jsonpaths": ["$.a", "$.b"]})
    put("m2.json", {"entries": [{"url": f"s3://{BUCKET}/none2.json", "mandatory": True}]})
    with pytest.raises(psycopg.Error, match=words):
        warehouse.execute(f"copy x from {options}")


def test_pretty_printed_and_concatenated_objects_are_loaded(warehouse: psycopg.Connection, put: Put) -> None:
    warehouse.execute("create table x (a integer)")
    copy(warehouse, put("pretty.json", json.dumps({"a": 1}, indent=2) + '{"a": 2}\n\n{"a":\n3}'))
    assert rows(warehouse) == [(1,), (2,), (3,)]


def test_options_change_texts(warehouse: psycopg.Connection, put: Put) -> None:
    warehouse.execute("create table x (n integer, t varchar(3))")
    uri = put("texts.json", lines({"N": 1, "T": "ééé"}, {"N": 2, "T": ""}, {"N": 3, "T": " "}))
    copy(warehouse, uri, "json 'auto ignorecase' truncatecolumns blanksasnull emptyasnull")
    assert rows(warehouse) == [(1, "é"), (2, None), (3, None)]


@pytest.mark.parametrize(
    ("options", "loaded"),
    [
        ("", [Decimal("-20.25"), Decimal("0.00"), Decimal("20.25"), Decimal("99.99")]),
        ("roundec", [Decimal("-20.26"), Decimal("0.01"), Decimal("20.26"), Decimal("100.00")]),
    ],
)
def test_decimals_are_cut_and_with_roundec_rounded(
    warehouse: psycopg.Connection, put: Put, options: str, loaded: list[Decimal]
) -> None:
    warehouse.execute("create table x (a decimal(8, 2))")
    uri = put("decimals.json", lines(*({"a": value} for value in ("-20.259", "0.005", "20.255", "99.995"))))
    copy(warehouse, uri, f"json 'auto' {options}")
    assert rows(warehouse) == [(value,) for value in loaded]


def test_roundec_gives_the_decimals_of_the_file(warehouse: psycopg.Connection, put: Put) -> None:
    written = [f"{whole}.{fraction:05}" for whole in (0, 1, 218, 99_999) for fraction in range(1, 100_000, 997)]
    uri = put("numbers.json", lines(*(f'{{"a": {number}}}' for number in written)))
    warehouse.execute("create table x (a decimal(10, 5))")
    copy(warehouse, uri, "json 'auto' roundec")
    exact = {Decimal(number) for number in written}
    assert {value for (value,) in rows(warehouse)} == exact
    warehouse.execute("truncate x")
    copy(warehouse, uri)
    cut = {value for (value,) in rows(warehouse)}
    assert cut != exact
    assert all(min(abs(value - number) for number in exact) <= Decimal("0.00001") for value in cut)


def test_a_decimal_that_roundec_makes_too_long_is_refused(warehouse: psycopg.Connection, put: Put) -> None:
    warehouse.execute("create table x (a decimal(4, 2))")
    uri = put("decimals.json", lines({"a": "99.994"}, {"a": "99.995"}))
    copy(warehouse, uri, "json 'auto' roundec maxerror 2")
    assert rows(warehouse) == [(Decimal("99.99"),)]
    assert rows(warehouse, "select line_number from sys_load_error_detail where query_id = pg_last_copy_id()") == [(2,)]


def test_notices_say_how_many_records_were_loaded_and_how_many_not(
    hook: RedshiftSQLHook, warehouse: psycopg.Connection, put: Put
) -> None:
    warehouse.execute("create table x (a integer)")
    good, bad = put("one.json", {"a": 1}), put("two-bad.json", lines({"a": 1}, {"a": "x"}, "oops", {"a": 4}, {"a": 5}))
    with contextlib.closing(hook.get_conn()) as connection:
        with connection.cursor() as cursor:
            cursor.execute(f"copy x from '{good}' iam_role default format json 'auto'")
            cursor.execute(f"copy x from '{bad}' iam_role default format json 'auto' maxerror 3")
        said = [(notice[b"S"].decode(), notice[b"M"].decode()) for notice in connection.notices]
    assert said == [
        ("INFO", "Load into table 'x' completed, 1 record(s) loaded successfully."),
        ("INFO", "Load into table 'x' completed, 3 record(s) loaded successfully."),
        (
            "INFO",
            "Load into table 'x' completed, 2 record(s) could not be loaded.  "
            "Check 'sys_load_error_detail' system table for details.",
        ),
    ]


def test_a_block_of_exact_and_a_block_of_odd_rows_count_lines_alike(warehouse: psycopg.Connection, put: Put) -> None:
    warehouse.execute("create table x (a integer, b varchar(30))")
    many = [{"a": number, "b": "x" * 20} for number in range(60_000)]
    copy(warehouse, put("many.json", lines(*many, {"a": "ten x"})), "json 'auto' maxerror 2")
    assert rows(warehouse, "select count(*), max(a) from x") == [(60_000, 59_999)]
    assert rows(warehouse, "select line_number from sys_load_error_detail where query_id = pg_last_copy_id()") == [
        (60_001,)
    ]


def test_the_last_copy_is_one_that_read_data_even_if_the_data_were_bad(warehouse: psycopg.Connection, put: Put) -> None:
    warehouse.execute("create table x (a integer)")
    assert rows(warehouse, "select pg_last_copy_id()") == [(-1,)]
    with pytest.raises(psycopg.Error):
        copy(warehouse, put("bad.json", {"a": "x"}))
    ((bad,),) = rows(warehouse, "select pg_last_copy_id()")
    with pytest.raises(psycopg.Error):
        copy(warehouse, f"s3://{BUCKET}/nothing-here")
    assert rows(warehouse, "select pg_last_copy_id()") == [(bad,)]
    assert rows(warehouse, f"select line_number from sys_load_error_detail where query_id = {bad}") == [(1,)]


@pytest.mark.parametrize("written", ['"1_000"', '"１２"', '"1e"', '"0x10"', '"Infinity"'])
def test_what_only_python_takes_for_a_number_is_refused(warehouse: psycopg.Connection, put: Put, written: str) -> None:
    warehouse.execute("create table x (a decimal(10,2))")
    with pytest.raises(psycopg.Error, match="failed"):
        copy(warehouse, put("number.json", f'{{"a": {written}}}'))


@pytest.mark.parametrize(
    ("options", "written"),
    [
        ("timeformat 'epochmillisecs'", "1541105830796"),
        ("timeformat 'auto'", '"2018-11-01T20:57:10.796Z"'),
        ("timeformat as 'DD.MM.YYYY HH24:MI:SS'", '"01.11.2018 20:57:10.796"'),
        ("", '"2018-11-01 20:57:10.796"'),
    ],
)
def test_timeformat_says_how_a_timestamp_is_written(
    warehouse: psycopg.Connection, put: Put, options: str, written: str
) -> None:
    warehouse.execute("create table x (a timestamp, b timestamptz)")
    copy(warehouse, put("time.json", f'{{"a": {written}, "b": null}}'), f"json 'auto' {options}")
    assert rows(warehouse) == [(dt.datetime.fromisoformat("2018-11-01 20:57:10.796"), None)]


@pytest.mark.parametrize("cut", [slice(20), slice(-1), slice(-8)])
def test_a_gzip_file_that_ends_too_early_is_refused(warehouse: psycopg.Connection, put: Put, cut: slice) -> None:
    warehouse.execute("create table x (a integer)")
    uri = put("cut.json.gz", gzip.compress(lines(*({"a": number} for number in range(999))).encode())[cut])
    with pytest.raises(psycopg.Error, match="not valid gzip"):
        copy(warehouse, uri, "json 'auto' gzip")
    assert rows(warehouse) == []


@pytest.mark.parametrize("path", ["$", "$.", "$['a'].b", "$.a['b']", "$[0]", "$..a", "$.a[*]", "a", 1, None])
def test_a_path_in_no_supported_notation_is_refused(warehouse: psycopg.Connection, put: Put, path: object) -> None:
    warehouse.execute("create table x (a integer)")
    with pytest.raises(psycopg.Error, match="Invalid JSONPath format in .*odd-paths"):
        copy(warehouse, put("one.json", {"a": 1}), f"json '{put('odd-paths', {'jsonpaths': [path]})}'")


def test_missing_columns_are_null_and_1213_if_they_must_not_be(warehouse: psycopg.Connection, put: Put) -> None:
    warehouse.execute("create table x (a integer, b integer not null, c integer)")
    copy(warehouse, put("missing.json", lines({"b": 1}, {"a": 2}, {"b": 3})), "json 'auto' maxerror 2")
    assert rows(warehouse, "select b from x order by 1") == [(1,), (3,)]
    found = rows(
        warehouse,
        "select line_number, trim(column_name), error_code from sys_load_error_detail "
        "where query_id = pg_last_copy_id()",
    )
    assert found == [(2, "b", 1213)]


def test_an_identity_column_is_left_to_the_table(warehouse: psycopg.Connection, put: Put) -> None:
    warehouse.execute("create table x (id bigint identity(1, 1), a integer)")
    uri = put("identity.json", lines({"id": 7, "a": 1}, {"a": 2}))
    copy(warehouse, uri)
    assert rows(warehouse, "select a, id > 0 and id <> 7 from x order by a") == [(1, True), (2, True)]
    with pytest.raises(psycopg.Error, match="COPY into the IDENTITY column id is refused: leave it out"):
        warehouse.execute(f"copy x (id, a) from '{uri}' iam_role default json 'auto'")


def test_errors_stand_in_the_order_of_lines_with_what_was_read_cut_and_masked(
    warehouse: psycopg.Connection, put: Put
) -> None:
    warehouse.execute("create table x (a integer)")
    long = "é" * 2000
    copy(warehouse, put("odd.json", lines({"a": long}, {"a": 1}, '{"a": "\\u0000\\ud800"}')), "json 'auto' maxerror 3")
    found = rows(
        warehouse,
        "select line_number, rtrim(raw_field_value), err_code, len(raw_line) from stl_load_errors "
        "where query = pg_last_copy_id()",
    )
    assert found == [(1, "." * 1024, 1207, 1024), (3, " .", 1207, 21)]


def test_a_load_and_its_failure_are_in_the_history(warehouse: psycopg.Connection, put: Put) -> None:
    warehouse.execute("create table x (a integer)")
    uri = put("history.json", lines({"a": 1}, {"a": 2}))
    copy(warehouse, uri)
    with pytest.raises(psycopg.Error):
        copy(warehouse, f"s3://{BUCKET}/nothing-here")
    found = rows(
        warehouse,
        "select status, table_name, data_source, loaded_rows, loaded_bytes, source_file_count, error_count "
        "from sys_load_history where query_id >= pg_last_copy_id() order by query_id",
    )
    assert found == [
        ("completed", "x", uri, 2, 17, 1, 0),
        ("aborted", "x", f"s3://{BUCKET}/nothing-here", 0, 0, 0, 0),
    ]


# As Amazon's pages on them list them.
SYSTEM_VIEWS = {
    "sys_load_error_detail": "user_id int4, query_id int8, transaction_id int8, session_id int4, database_name bpchar, "
    "table_id int4, start_time timestamp, file_name bpchar, line_number int8, column_name bpchar, column_type bpchar, "
    "column_length bpchar, position int4, error_code int4, error_message bpchar",
    "stl_load_errors": "userid int4, slice int4, tbl int4, starttime timestamp, session int4, query int4, "
    "filename bpchar, line_number int8, colname bpchar, type bpchar, col_length bpchar, position int4, "
    "raw_line bpchar, raw_field_value bpchar, err_code int4, err_reason bpchar, is_partial int4, start_offset int8, "
    "copy_job_id int8",
    "sys_load_history": "user_id int4, query_id int8, transaction_id int8, session_id int4, database_name text, "
    "status text, table_name text, start_time timestamp, end_time timestamp, duration int8, data_source text, "
    "file_format text, loaded_rows int8, loaded_bytes int8, source_file_count int4, source_file_bytes int8, "
    "file_count_scanned int4, file_bytes_scanned int8, error_count int8, copy_job_id int8",
}


@pytest.mark.parametrize("view", SYSTEM_VIEWS)
def test_a_system_view_has_the_columns_that_amazon_lists(warehouse: psycopg.Connection, view: str) -> None:
    described = warehouse.execute(f"select * from {view} where 1 = 0").description or []
    names = {kind.oid: kind.name for kind in warehouse.adapters.types}
    assert ", ".join(f"{column.name} {names[column.type_code]}" for column in described) == SYSTEM_VIEWS[view]


def test_a_secret_reaches_no_system_table_and_no_log(
    warehouse: psycopg.Connection, put: Put, stand_in: StandIn
) -> None:
    warehouse.execute("create table x (a integer)")
    uri, secret = put("secret.json", {"a": "x"}), "wJalrXUtnFEMI/K7MDENG/bPxRfiCY"
    key = f"access_key_id 'AKIA1' secret_access_key '{secret}'"
    for options in (
        f"{key} json 'auto'",
        f"{key} csv",
        f"credentials '{secret}' json 'auto'",
        f"json 'auto' '{secret}'",
    ):
        with pytest.raises(psycopg.Error) as failure:
            warehouse.execute(f"copy x from '{uri}' {options}")
        assert secret not in str(failure.value)
    for view in ("sys_load_history", "sys_load_error_detail", "stl_load_errors"):
        assert secret not in str(rows(warehouse, f"select * from {view}"))
    assert secret not in stand_in.postgres.log.read_text()
