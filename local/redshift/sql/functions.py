"""The functions and types the stand-in knows, and what PostgreSQL calls them.

Source for names and meanings: the function reference of the Amazon Redshift Database Developer Guide. A function that
is not in these tables is refused, even if PostgreSQL has one of that name.
"""

from __future__ import annotations

from dataclasses import dataclass

SCHEMA = "redshift_compat"


@dataclass(frozen=True)
class Function:
    """``target`` is PostgreSQL's name, or a template of the arguments ``{0}``, ``{1}`` …; -1 is any number of them."""

    target: str
    least: int
    most: int
    kind: str = ""  # "aggregate", "ranking", "offset", "edge" (first_value, last_value), "datepart" or plain


def _same(names: str, least: int, most: int, kind: str = "") -> dict[str, Function]:
    return {name: Function(name, least, most, kind) for name in names.split()}


def _compat(names: str, least: int, most: int, kind: str = "") -> dict[str, Function]:
    return {name: Function(f"{SCHEMA}.{name}", least, most, kind) for name in names.split()}


FUNCTIONS: dict[str, Function] = {
    **_same("count sum min max bool_and bool_or", 1, 1, "aggregate"),
    **_compat("avg", 1, 1, "aggregate"),
    "median": Function("percentile_cont(0.5) WITHIN GROUP (ORDER BY {0})", 1, 1, "aggregate"),
    "listagg": Function("string_agg", 1, 2, "aggregate"),
    "ratio_to_report": Function("ratio_to_report", 1, 1, "ratio"),
    **_same("row_number rank dense_rank percent_rank cume_dist", 0, 0, "ranking"),
    **_same("ntile", 1, 1, "ranking"),
    **_same("lag lead", 1, 2, "offset"),
    **_same("first_value last_value", 1, 1, "edge"),
    **_same("coalesce greatest least", 1, -1),
    **_same("nullif", 2, 2),
    "nvl": Function("coalesce", 2, -1),
    "nvl2": Function("CASE WHEN {0} IS NOT NULL THEN {1} ELSE {2} END", 3, 3),
    **_same("md5 lower upper length char_length character_length octet_length reverse initcap", 1, 1),
    "len": Function("length", 1, 1),
    **_compat("sha2", 2, 2),
    **_same("rtrim ltrim btrim", 1, 2),
    **_same("left right repeat strpos", 2, 2),
    **_same("lpad rpad", 2, 3),
    **_same("replace split_part", 3, 3),
    **_same("substr substring", 2, 3),
    "charindex": Function("strpos({1}, {0})", 2, 2),
    **_compat("concat", 2, 2),
    "regexp_replace": Function("regexp_replace({0}, {1}, {2}, 'g')", 3, 3),
    **_compat("regexp_substr", 2, 4),
    **_same("regexp_count", 2, 3),
    **_same("regexp_instr", 2, 4),
    **_same("abs floor sqrt sign exp ln", 1, 1),
    "ceil": Function("ceil", 1, 1),
    "ceiling": Function("ceil", 1, 1),
    **_same("round", 1, 2),
    **_compat("trunc", 1, 2),
    **_same("mod power", 2, 2),
    "pow": Function("power", 2, 2),
    **_same("random", 0, 0),
    **_compat("getdate", 0, 0),
    **_compat("last_day", 1, 1),
    **_compat("dateadd datediff", 3, 3, "datepart"),
    **_compat("date_trunc", 2, 2, "datepart"),
    "date_diff": Function(f"{SCHEMA}.datediff", 3, 3, "datepart"),
    "date_part": Function("date_part", 2, 2, "datepart"),
    **_compat("convert_timezone", 2, 3),
    **_same("to_char to_date to_timestamp", 2, 2),
    **_same("pg_backend_pid current_database current_schema version", 0, 0),
    **_same("pg_cancel_backend pg_terminate_backend", 1, 1),
    **_same("has_table_privilege has_schema_privilege has_database_privilege", 2, 3),
    **_compat("pg_last_copy_count pg_last_copy_id pg_last_query_id", 0, 0),
    **_compat("current_setting", 1, 1),
}
FUNCTIONS["version"] = Function(f"{SCHEMA}.version", 0, 0)

# Every spelling of a date part that Redshift takes, by what PostgreSQL calls it.
DATE_PARTS: dict[str, str] = {
    spelling: part
    for part, spellings in {
        "year": "year years y yr yrs",
        "quarter": "quarter quarters qtr qtrs",
        "month": "month months mon mons",
        "week": "week weeks w",
        "day": "day days d",
        "hour": "hour hours h hr hrs",
        "minute": "minute minutes m min mins",
        "second": "second seconds s sec secs",
        "millisecond": "millisecond milliseconds ms msec msecs msecond mseconds",
        "microsecond": "microsecond microseconds microsec microsecs us usec usecs",
        "dow": "dow dayofweek dw weekday",
        "doy": "doy dayofyear dy yearday",
        "epoch": "epoch",
    }.items()
    for spelling in spellings.split()
}
_CALENDAR = {"year", "quarter", "month", "week", "day", "hour", "minute", "second"}
PARTS_OF: dict[str, set[str]] = {
    "dateadd": _CALENDAR | {"millisecond", "microsecond"},
    "datediff": _CALENDAR | {"millisecond", "microsecond"},
    "date_diff": _CALENDAR | {"millisecond", "microsecond"},
    "date_trunc": _CALENDAR,
    # Redshift and PostgreSQL count milliseconds within a minute differently.
    "date_part": _CALENDAR | {"dow", "doy", "epoch"},
}

# PostgreSQL's internal type name, as pg_type.typname gives it, to the name Redshift's load errors use.
LOAD_TYPE_NAMES = {
    "int2": "int2",
    "int4": "int4",
    "int8": "int8",
    "numeric": "numeric",
    "float4": "float4",
    "float8": "float8",
    "bool": "bool",
    "bpchar": "char",
    "varchar": "varchar",
    "date": "date",
    "timestamp": "timestamp",
    "timestamptz": "timestamptz",
}

# Redshift's system views, which live in the compatibility schema whatever the search path says.
SYSTEM_VIEWS = {
    "sys_load_error_detail",
    "sys_load_history",
    "stl_load_errors",
    "svv_transactions",
    "stv_locks",
}
# Names PostgreSQL gives to every table's hidden columns; Redshift has none of them.
HIDDEN_COLUMNS = {"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"}
