"""Whatever text comes in, it is refused in words, or PostgreSQL gets only what the table of what is allowed names."""

from __future__ import annotations

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from local.redshift.sql.functions import ALLOWED, FUNCTIONS
from local.redshift.sql.lexer import tokenize
from local.redshift.sql.plan import Load, Refuse, RefusedError, Script, Send
from local.redshift.sql.rewrite import rewrite


def _parts(text: str) -> list[str]:
    return [" ".join(part.split()) for part in text.split("¦")]


WORDS = _parts(
    r"""
    select ¦ from ¦ where ¦ t ¦ a ¦ 1 ¦ 'x' ¦ ( ¦ ) ¦ , ¦ . ¦ ; ¦ :: ¦ * ¦ + ¦ = ¦ create ¦ table ¦ insert ¦ into ¦
    values ¦ copy ¦ 's3://b/k' ¦ json ¦ format ¦ with ¦ as ¦ over ¦ partition ¦ by ¦ order ¦ union ¦ all ¦ case ¦
    when ¦ then ¦ end ¦ cast ¦ interval ¦ " ¦ ' ¦ $1 ¦ # ¦ -- ¦ /* ¦ */ ¦ not ¦ null ¦ in ¦ exists ¦ merge ¦ using ¦
    on ¦ matched ¦ update ¦ set ¦ delete ¦ group ¦ rollup ¦ qualify ¦ begin ¦ alter ¦ add ¦ column ¦ primary ¦ key ¦
    references ¦ identity ¦ grant ¦ to ¦ role ¦ explain ¦ fetch ¦ declare ¦ cursor ¦ for ¦ show ¦ analyze ¦ vacuum ¦
    drop ¦ view ¦ if ¦ comment ¦ is
    """
)
# Parts that are allowed beside parts that must never reach PostgreSQL, in every place where either may stand.
EXPRESSIONS = _parts(
    r"""
    a ¦ t.a ¦ 1 ¦ 'x' ¦ null ¦ count(*) ¦ nvl(a, 1) ¦ sum(a) ¦ a::int ¦ cast(a as varchar(3)) ¦ a || 'b' ¦
    row_number() over (order by a) ¦ case when a then 1 end ¦ date '2018-01-01' ¦ extract(dow from a) ¦ a like 'b' ¦
    dateadd(day, 1, a) ¦ (select 1) ¦ a in (1, 2) ¦ interval '1 day' ¦ decode(a, 1, 2) ¦ try_cast(a as int) ¦
    array_agg(a) ¦ pg_sleep(1) ¦ pg_read_file('x') ¦ a::jsonb ¦ cast(a as xml) ¦ lo_import('x') ¦ current_catalog ¦
    nextval('s') ¦ row(1) ¦ array[1] ¦ a[1] ¦ ctid ¦ xmlparse(document 'x') ¦ a -> 'b' ¦ a @> b ¦ json_agg(a) ¦
    pg_catalog.pg_sleep(1) ¦ a collate "C" ¦ current_role ¦ a is distinct from 1 ¦ count(*) filter (where a) ¦
    set_config('a', 'b', false) ¦ query_to_xml('x', true, true, '') ¦ a::regclass ¦ b'1' ¦ E'\n' ¦ U&'x' ¦ default ¦
    any(a) ¦ a operator(pg_catalog.+) 1 ¦ localtimestamp ¦ now() ¦ generate_series(1, 2) ¦ overlay(a, b)
    """
)
SOURCES = _parts(
    r"""
    t ¦ s.t ¦ t as x ¦ t, u ¦ t join u on t.a = u.a ¦ (select 1 as a) as x ¦ stl_load_errors ¦ #t ¦ lateral (select
    1) as x ¦ generate_series(1, 3) ¦ rows from (f(1)) ¦ t tablesample system (1) ¦ only t ¦ redshift_compat.loads ¦
    pg_temp.t ¦ (values (1)) as v ¦ t natural join u ¦ svl_qlog ¦ unnest(a)
    """
)
TYPES = _parts(
    r"""
    int ¦ varchar(9) ¦ text ¦ decimal(9, 2) ¦ timestamp ¦ jsonb ¦ oid ¦ serial ¦ int[] ¦ money ¦ super
    """
)
SHAPES = _parts(
    r"""
    select {e} from {s} where {e} ¦ select {e}, {e} from {s} group by {e} order by {e} limit 1 ¦ insert into t
    select {e} ¦ insert into t values ({e}) ¦ update t set a = {e} where {e} ¦ delete from t using {s} where {e} ¦
    create table n (a {t} default {e}) ¦ create table n as select {e} from {s} ¦ create view v as select {e} from
    {s} ¦ create table n (a {t}, b {t} not null) distkey(a) sortkey(b) ¦ alter table t add column a {t} default {e}
    ¦ merge into t using u on {e} when matched then update set a = {e} when not matched then insert values ({e}) ¦
    merge into t using u on {e} remove duplicates ¦ explain select {e} ¦ select {e} union all select {e} from {s} ¦
    with c as (select {e} from {s}) select {e} from c ¦ select {e} from t x qualify {e} ¦ declare c cursor for
    select {e} ¦ select {e} over (partition by {e} order by {e}) ¦ lock {s} ¦ truncate {s} ¦ drop table {s} ¦ grant
    select on {s} to u ¦ select * from t for update; {e} ¦ {e} ¦ set {e} to {e} ¦ vacuum {s} ¦ call f({e}) ¦ do {e}
    ¦ copy t to {e}
    """
)


def _quote(words: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Za-z_]\w*", words)}


# Every name of the client's is quoted in what is sent, so that all bare words are known beforehand.
KEYWORDS = _quote(
    """select from where group by order limit offset having as on using join left right full inner outer cross union all
    except intersect distinct insert into values update set delete with recursive case when then else end and or not in
    between is null true false like ilike similar to escape exists cast asc desc nulls first last over partition rows
    preceding following unbounded current row interval at time zone substring position trim both leading trailing for
    current_date current_user current_schema session_user default create table temp constraint check references enforced
    index if view brin autosummarize pages_per_range autovacuum_vacuum_insert_threshold
    unknown add year quarter month week day hour minute second any some rollup cube
    grouping sets microsecond millisecond"""
)
VOCABULARY = KEYWORDS.union(
    *(_quote(" ".join(row[1:])) for row in [*ALLOWED["statements"], *ALLOWED["types"], *ALLOWED["column_attributes"]]),
    *(_quote(f"{function.target} {name}") for name, function in FUNCTIONS.items()),
    *map(_quote, [*ALLOWED["forms"].values(), *ALLOWED["redshift_settings"], ALLOWED["shared_settings"]]),
    _quote("redshift_compat numeric varchar char integer bigint to_varchar sysdate drop_keys append octet_length"),
    _quote(
        "limit_columns outside_of_transactions char_length single_byte kept whole quotient listed ceil of_64_bits "
        "abs replace"
    ),
    _quote(
        "trunc date_part pg_input_is_valid string_agg percentile_cont text date timestamp regclass statistics reset"
    ),
    _quote("fillfactor false including constraints defaults duplicates serializable minvalue start increment always"),
)


def bare_words(sent: str) -> set[str]:
    return _quote(re.sub(r"""'(?:[^']|'')*'|"(?:[^"]|"")*\"""", " ", sent))


@settings(max_examples=settings().max_examples * 5, deadline=None)
@given(st.one_of(st.text(), st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join)))
@example("select " + "(" * 3000)
@example("select " + "(" * 40 + "1" + ")" * 40)
@example("\0")
@example("create table t (" + ", ".join(f"c{n} int" for n in range(1600)) + ")")
def test_any_text_becomes_plans_or_a_refusal(text: str) -> None:
    for plan in rewrite(text):
        assert isinstance(plan, Send | Script | Refuse | Load)
        assert not isinstance(plan, Refuse) or (len(plan.code) == 5 and plan.message)


def _statements() -> st.SearchStrategy[str]:
    parts = {"e": st.sampled_from(EXPRESSIONS), "s": st.sampled_from(SOURCES), "t": st.sampled_from(TYPES)}

    def fill(shape: str) -> st.SearchStrategy[str]:
        places = re.split(r"\{(\w)\}", shape)
        drawn = [st.just(text) if at % 2 == 0 else parts[text] for at, text in enumerate(places)]
        return st.tuples(*drawn).map("".join)

    return st.sampled_from(SHAPES).flatmap(fill)


@settings(max_examples=settings().max_examples * 10, deadline=None)
@given(_statements())
def test_what_is_sent_holds_no_word_that_is_not_known(text: str) -> None:
    for plan in rewrite(text):
        if isinstance(plan, Send | Script):
            assert bare_words(plan.sql) <= VOCABULARY, plan.sql


@given(st.text(st.characters(exclude_characters="\0")))
def test_a_literal_is_sent_as_the_text_it_is(text: str) -> None:
    written = "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
    (plan,) = rewrite(f"select {written}")
    assert plan == Send("SELECT '" + text.replace("'", "''") + "'")


@given(st.text())
def test_a_lexer_reads_its_own_writing(text: str) -> None:
    try:
        tokens = tokenize(text)
    except RefusedError:
        return
    again = tokenize(" ".join(token.sql() for token in tokens))
    assert [(token.kind, token.text.lower()) for token in again if token.kind != "quoted"] == [
        (token.kind, token.text.lower())
        for token in tokens
        if token.kind != "quoted" and not token.text.startswith("#")
    ]
