"""Where PostgreSQL would answer something else than Redshift without a word: right here, or refused."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tests.local.redshift.conftest import Connect

REFUSED = "does not know for certain"


@pytest.fixture
def names(warehouse: psycopg.Connection) -> psycopg.Connection:
    """Texts that differ in trailing blanks, in one that begins with a blank, and in none."""
    warehouse.execute("create table names (id int, name varchar(9), other varchar(9))")
    warehouse.execute(
        "insert into names values (1, 'a', 'x'), (2, 'a ', 'x '), (3, 'a  ', 'y'), (4, ' a', 'x'), (5, 'b', null), "
        "(6, '', 'x'), (7, '  ', 'x'), (8, null, 'x')"
    )
    return warehouse


TRAILING_BLANKS: dict[str, tuple[str, list[Any]]] = {
    "equal": ("select id from names where name = 'a'", [(1,), (2,), (3,)]),
    "blanks in the literal": ("select id from names where name = 'a   '", [(1,), (2,), (3,)]),
    "not equal": ("select id from names where name <> 'a'", [(4,), (5,), (6,), (7,)]),
    "greater": ("select id from names where name > 'a'", [(5,)]),
    "at most": ("select id from names where name <= ''", [(6,), (7,)]),
    "between": ("select id from names where name between 'a' and 'a'", [(1,), (2,), (3,)]),
    "in a list": ("select id from names where name in ('a', 'c')", [(1,), (2,), (3,)]),
    "in a long list": (
        f"select id from names where name in ('a', {', '.join(repr(str(n)) for n in range(20))})",
        [(1,), (2,), (3,)],
    ),
    "in a query": ("select id from names where name in (select 'a  ')", [(1,), (2,), (3,)]),
    "not in a query": ("select id from names where name not in (select 'a')", [(4,), (5,), (6,), (7,)]),
    "join": (
        "select a.id, b.id from names a join names b on a.name = b.name where a.id < b.id",
        [(1, 2), (1, 3), (2, 3), (6, 7)],
    ),
    "join using": ("select count(*) from names a join names b using (name, other)", [(10,)]),
    "group by": ("select count(*) from names group by name having count(*) > 1", [(2,), (3,)]),
    "group by an expression": ("select count(*) from names group by lower(name) having count(*) > 1", [(2,), (3,)]),
    "distinct": ("select count(*) from (select distinct name from names) as t", [(5,)]),
    "count distinct": ("select count(distinct name) from names", [(4,)]),
    "union": ("select count(*) from (select name from names union select 'a ') as t", [(5,)]),
    "except": ("select count(*) from (select name from names except select 'a') as t", [(4,)]),
    "intersect": ("select count(*) from (select name from names intersect select 'b ') as t", [(1,)]),
    "partition": (
        "select id from (select id, row_number() over (partition by name order by id) as n from names) as t "
        "where n > 1",
        [(2,), (3,), (7,)],
    ),
    "rank": (
        "select id from (select id, rank() over (order by name) as n from names) as t where n = 4",
        [(1,), (2,), (3,)],
    ),
    "order": ("select id from names order by name, id desc limit 3", [(7,), (6,), (4,)]),
    "case": ("select sum(case name when 'a' then 1 else 0 end) from names", [(3,)]),
    "decode": ("select sum(decode(name, 'a', 1, 0)) from names", [(3,)]),
    "nullif": ("select count(nullif(name, 'a')) from names", [(4,)]),
    "exists": (
        "select id from names n where exists (select 1 from names m where m.name = n.name and m.id = 3)",
        [(1,), (2,), (3,)],
    ),
    "char": ("select id from names where name = 'a'::char(4)", [(1,), (2,), (3,)]),
    "length counts them": ("select len(name) from names where id = 3", [(3,)]),
    "they are kept": ("select name || '|' from names where id = 3", [("a  |",)]),
}


@pytest.mark.parametrize("case", TRAILING_BLANKS)
@pytest.mark.parametrize("planned", ["by hash", "by sorting"])
def test_trailing_blanks_do_not_count_in_comparisons(names: psycopg.Connection, case: str, planned: str) -> None:
    query, rows = TRAILING_BLANKS[case]
    if planned == "by sorting":
        # Not Redshift's: they go to PostgreSQL behind the stand-in, which lets options of a session through.
        names = psycopg.connect(names.info.dsn, password=names.info.password, autocommit=True,
                                options="-c enable_hashagg=off -c enable_hashjoin=off")  # fmt: skip
    with names:
        assert sorted(names.execute(query).fetchall()) == sorted(rows)


def test_trailing_blanks_do_not_count_where_a_zone_map_is_asked(warehouse: psycopg.Connection) -> None:
    warehouse.execute("create table x (name varchar(9)) sortkey (name)")
    warehouse.execute("insert into x values ('a'), ('a  '), ('b')")
    assert warehouse.execute("select count(*) from x where name = 'a '").fetchone() == (2,)
    warehouse.execute("delete from x where name = 'a    '")
    assert warehouse.execute("select name from x").fetchall() == [("b",)]


VALUES = {
    # https://docs.aws.amazon.com/redshift/latest/dg/r_numeric_computations201.html
    "quotient of literals": ("7 / 2.0", Decimal("3.5000")),
    "quotient of casts": ("cast(1 as decimal(8, 2)) / cast(8 as decimal(8, 2))", Decimal("0.125000000")),
    "quotient whose last digit is certain": ("1.0 / 3", Decimal("0.333333333333")),
    "quotient of 38 digits": ("cast(10 as decimal(38, 2)) / cast(4 as bigint)", Decimal("2.5000")),
    "sum": ("1.5 + 2.25", Decimal("3.75")),
    "product": ("cast(4 as decimal(10, 4)) * cast(2 as decimal(10, 4))", Decimal("8.00000000")),
    "integers": ("7 / 2", 3),
    "literals are rounded": ("cast(109.652 as decimal(4, 1))", Decimal("109.7")),
    # https://docs.aws.amazon.com/redshift/latest/dg/r_FLOOR.html, r_CEILING_FLOOR.html
    "floor of an integer": ("floor(7) / 2", 3),
    "ceil of an integer": ("ceil(7) / 2", 3),
    "floor of a decimal": ("floor(-1.5)", Decimal(-2)),
    "round": ("round(28.05, 1)", Decimal("28.1")),
    "sqrt": ("sqrt(2.0)", 2**0.5),
    "power": ("power(2, 0.5)", 2**0.5),
    "exp": ("exp(1.0)", 2.718281828459045),
    # https://docs.aws.amazon.com/redshift/latest/dg/r_Dateparts_for_datetime_functions.html
    "extract seconds": ("extract(sec from timestamp '2009-09-21 11:10:03.189717')", 3),
    "date_part seconds": ("date_part(sec, timestamp '2009-09-21 11:10:03.189717')", 3.189717),
    "date_part is a double": ("date_part(hour, timestamp '2009-09-21 11:10:03') / 2", 5.5),
    "datediff": ("datediff(ms, timestamp '1969-12-31 23:59:59.9995', timestamp '1970-01-01 00:00:00.001')", 2),
    "datediff of weeks": ("datediff(week, '2009-01-01', '2009-12-31')", 52),
    "months_between": ("months_between('2009-01-31', '2008-12-31')", 1.0),
    # https://docs.aws.amazon.com/redshift/latest/dg/r_LOWER.html
    "lower": ("lower('ÉÀß')", "éàß"),
    "upper": ("upper('éàя')", "ÉÀЯ"),
    "initcap": ("initcap('élan vital-ÉTÉ')", "Élan Vital-Été"),
    "sha2 of no bits": ("sha2('a', 5)", ""),
    "left": ("left('Gypsy', 2) || right('Gypsy', 2)", "Gysy"),
    "char(max)": ("octet_length(cast('a' as char(max))::varchar)", 1),
}


@pytest.mark.parametrize("case", VALUES)
def test_a_value_is_redshifts(warehouse: psycopg.Connection, case: str) -> None:
    expression, value = VALUES[case]
    found = (warehouse.execute(f"select {expression}").fetchone() or (None,))[0]
    assert found == value
    assert type(found) is type(value)
    if isinstance(value, Decimal):
        assert str(found) == str(value)


NOT_CERTAIN = {
    "quotient of columns": "a / b from x",
    "quotient of a column and an integer": "a / 4 from x",
    "last digit of a quotient": "2.0 / 3",
    "average": "avg(a) from x",
    "cast that drops a half": "cast(a as decimal(9, 1)) from x",
    "cast to an integer": "cast(b as int) from x",
    "cast of a double": "cast(d as decimal(9, 2)) from x",
    "round of an integer": "round(7)",
    "round of a half": "round(d) from x",
    "sign of an integer": "sign(7)",
    "ln of a decimal": "ln(2.5)",
    "more than 37 decimals": "cast(0.1 as decimal(37, 30)) * cast(0.1 as decimal(37, 30))",
    "left from the end": "left('abc', -1)",
    "part from the end": "split_part('a,b', ',', -1)",
}


@pytest.mark.parametrize("case", NOT_CERTAIN)
def test_a_value_that_is_not_certain_is_refused(warehouse: psycopg.Connection, case: str) -> None:
    warehouse.execute("create table x (a decimal(8, 2), b decimal(8, 4), d double precision)")
    warehouse.execute("insert into x values (10.25, 3.5, 2.5), (1, 2.5, 0.125)")
    with pytest.raises(psycopg.errors.FeatureNotSupported, match=REFUSED):
        warehouse.execute(f"select {NOT_CERTAIN[case]}")


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("cast(a as decimal(9, 1))", Decimal("1.0")),
        ("cast(a as int)", 1),
        ("cast(b as decimal(9, 1))", Decimal("2.2")),
        ("cast(d as int)", 2),
        ("cast(t as decimal(9, 1))", Decimal("7.0")),
        ("cast(t as double precision)", 7.0),
        ("cast(big as decimal(19, 0))", Decimal(2**62)),
    ],
)
def test_a_cast_that_rounds_and_cuts_alike_is_certain(
    warehouse: psycopg.Connection, expression: str, value: object
) -> None:
    warehouse.execute("create table x (a decimal(8, 2), b decimal(8, 4), d double precision, t varchar(5), big bigint)")
    warehouse.execute(f"insert into x values (1.00, 2.2499, 2.4, ' 7 ', {2**62})")
    assert warehouse.execute(f"select {expression} from x").fetchone() == (value,)


def test_the_sum_of_bigint_is_bigint_and_divides_as_one(warehouse: psycopg.Connection) -> None:
    warehouse.execute("create table x (small smallint, plain int, big bigint, part decimal(5, 2), real real)")
    warehouse.execute("insert into x values (1, 1, 1, 1.25, 0.5), (2, 2, 2, 1.25, 0.5), (null, null, null, null, null)")
    sums = warehouse.execute(
        "select sum(small) / 2, sum(plain) / 2, sum(big) / 2, sum(part), sum(real) from x"
    ).fetchone()
    assert sums == (1, 1, 1, Decimal("2.50"), 1.0)
    assert warehouse.execute("select sum(big) from x where big is null").fetchone() == (None,)
    kinds = warehouse.execute("select sum(small), sum(big), sum(part), sum(real) from x").description or []
    names = {kind.oid: kind.name for kind in warehouse.adapters.types}
    assert [names[column.type_code] for column in kinds] == ["int8", "int8", "numeric", "float8"]
    over = "select sum(big) over (order by big rows unbounded preceding) from x where big is not null"
    assert warehouse.execute(over).fetchall() == [(1,), (3,)]


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("select cast(1e20 as decimal(38, 0)) * cast(1e20 as decimal(38, 0))", "22003"),
        ("select cast(9e37 as decimal(38, 0)) + cast(9e37 as decimal(38, 0))", "22003"),
        ("insert into limits (n) values (9223372036854775808)", "22003"),
        ("insert into limits (n) values (-9999999999999999999)", "22003"),
        ("insert into limits (s) values (9.3)", "22003"),
        ("insert into limits (c) values ('é')", "22021"),
        ("update limits set c = 'ab€'", "22021"),
        ("select cast('é' as char(4))", "22021"),
        ("insert into made values ('é', null)", "22021"),
        ("insert into made values (null, 'éé')", "22001"),
        ("select listagg(long) within group (order by long) from limits", "54000"),
    ],
)
def test_what_does_not_fit_is_an_error(warehouse: psycopg.Connection, statement: str, code: str) -> None:
    warehouse.execute("create table limits (n decimal(19, 0), s decimal(19, 18), c char(4), long varchar(max))")
    warehouse.execute("insert into limits values (9223372036854775807, 9.2, 'abcd  ', repeat('x', 40000))")
    warehouse.execute("insert into limits (long) values (repeat('y', 40000))")
    warehouse.execute("create table made as select c, 'abc'::varchar(3) as v from limits")
    with pytest.raises(psycopg.Error) as failure:
        warehouse.execute(statement)
    assert failure.value.sqlstate == code


REFUSED_STATEMENTS = {
    "attribute beside LIKE": "create table y (like x) distkey (a)",
    "sort key beside LIKE": "create table y (like x) sortkey (a)",
    "backup beside LIKE": "create temp table y (like x including defaults) backup no",
    "two distribution keys": "create table y (a int distkey, b int distkey)",
    "distribution key of another style": "create table y (a int) distkey (a) diststyle even",
    "key without its column": "create table y (a int) diststyle key",
    "two sort keys": "create table y (a int sortkey, b int sortkey)",
    "too many interleaved": f"create table y ({', '.join(f'c{n} int' for n in range(9))}) interleaved sortkey "
    f"({', '.join(f'c{n}' for n in range(9))})",
    "IS in the select list": "select a is true from x",
    "leader node only": "select current_schema() from x",
    "compute node only": "select median(1)",
    "lookahead": "select regexp_substr('abc', 'a(?=b)')",
    "as few as possible": "select 1 from x where 'abc' ~ 'a.*?b'",
    "reference": r"select regexp_count('abab', '(ab)\\1')",
    "escape of PostgreSQL's": r"select 1 from x where 'a b' ~ '\\mb'",
    "pattern of a column": "select regexp_substr(v, v) from x",
    "format of PostgreSQL's": "select to_char(timestamp '2018-11-01 01:02:03.4', 'HH24:MI:SS.FF3')",
    "try_cast to CHAR": "select try_cast('é' as char(4))",
    "try_cast to DECIMAL": "select try_cast('1.25' as decimal(9, 1))",
    "spoken time": "select timestamp 'now'",
    "infinite time": "select cast('infinity' as date)",
}


@pytest.mark.parametrize("case", REFUSED_STATEMENTS)
def test_a_statement_that_redshift_refuses_or_reads_apart_is_refused(warehouse: psycopg.Connection, case: str) -> None:
    warehouse.execute("create table x (a boolean, v varchar(9))")
    with pytest.raises(psycopg.Error) as failure:
        warehouse.execute(REFUSED_STATEMENTS[case])
    assert failure.value.sqlstate in ("0A000", "42601", "42883"), failure.value


@pytest.mark.parametrize(
    "statement",
    [
        "create table y (like x)",
        "create table y (a int distkey sortkey, b int) diststyle key compound sortkey (a, b)",
        "select count(*) from x where a is true",
        "select case when a = true then 1 end from x",
        "select current_schema()",
        r"select regexp_substr(v, '(a|b)+[[:digit:]]{1,2}\\.\\w*$') from x",
        "select to_char(timestamp '2018-11-01 01:02:03.4', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS')",
        "select timestamp 'epoch'",
    ],
)
def test_what_redshift_knows_still_runs(warehouse: psycopg.Connection, statement: str) -> None:
    warehouse.execute("create table x (a boolean, v varchar(9))")
    warehouse.execute(statement)


def test_a_columns_type_changes_outside_of_transactions_only(connect: Connect, warehouse: psycopg.Connection) -> None:
    warehouse.execute("create table x (a varchar(3))")
    with connect(autocommit=False) as session:
        session.execute("select count(*) from x")
        with pytest.raises(psycopg.errors.ActiveSqlTransaction):
            session.execute("alter table x alter column a type varchar(9)")
        session.rollback()
    warehouse.execute("alter table x alter column a type varchar(9)")


def test_times_are_as_before(warehouse: psycopg.Connection) -> None:
    """Date arithmetic whose functions were written again."""
    found = warehouse.execute(
        "select datediff(hour, '0001-01-01', '9999-12-31 23:59:59'), "
        "datediff(us, '1970-01-01', '2018-11-01 00:00:00.5'), "
        "dateadd(ms, 1500, timestamp '2018-11-01'), months_between('2008-12-25 15:00', '2008-01-21 19:30')"
    ).fetchone()
    assert found is not None
    assert found[:2] == (87649415, 1541030400500000)
    assert found[2] == dt.datetime.fromisoformat("2018-11-01T00:00:01.500")
    assert round(found[3], 2) == 11.12
