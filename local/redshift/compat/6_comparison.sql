-- Texts compare as Redshift compares them: trailing blanks do not count, in VARCHAR as in CHAR.
-- https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html
--
-- So the operators of this database's text become those of its CHAR, and with them all that rests on
-- them: conditions, joins, grouping, DISTINCT, set operations, ORDER BY, window functions. A rewriting
-- of statements would have to know every expression's type. What is stored keeps its blanks.
set local allow_system_table_mods = on;

update pg_operator as text_operator
set oprcode = char_operator.oprcode
from pg_operator as char_operator
where text_operator.oprleft = 'text'::regtype
    and text_operator.oprright = 'text'::regtype
    and text_operator.oprname in ('=', '<>', '<', '<=', '>', '>=')
    and char_operator.oprname = text_operator.oprname
    and char_operator.oprleft = 'bpchar'::regtype
    and char_operator.oprright = 'bpchar'::regtype
    and text_operator.oprcode <> char_operator.oprcode;

-- What sorts and hashes, by the numbers that both families give it.
update pg_amproc as text_support
set amproc = char_support.amproc
from pg_amproc as char_support, pg_opfamily as text_family, pg_opfamily as char_family, pg_am as method
where method.amname in ('btree', 'hash')
    and text_family.opfmethod = method.oid
    and text_family.opfname = 'text_ops'
    and char_family.opfmethod = method.oid
    and char_family.opfname = 'bpchar_ops'
    and text_support.amprocfamily = text_family.oid
    and text_support.amproclefttype = 'text'::regtype
    and text_support.amprocrighttype = 'text'::regtype
    and char_support.amprocfamily = char_family.oid
    and char_support.amproclefttype = 'bpchar'::regtype
    and char_support.amprocrighttype = 'bpchar'::regtype
    and char_support.amprocnum = text_support.amprocnum
    and text_support.amproc <> char_support.amproc;

-- Equal texts are no longer the same bytes.
delete from pg_amproc
where amproc = 'btvarstrequalimage'::regproc
    and amproclefttype = 'text'::regtype
    and amprocfamily in (select oid from pg_opfamily where opfname = 'text_ops');

update pg_aggregate as text_aggregate
set aggtransfn = char_aggregate.aggtransfn, aggcombinefn = char_aggregate.aggcombinefn
from pg_aggregate as char_aggregate, pg_proc as text_function, pg_proc as char_function
where text_function.oid = text_aggregate.aggfnoid
    and char_function.oid = char_aggregate.aggfnoid
    and text_function.proname in ('min', 'max')
    and char_function.proname = text_function.proname
    and text_function.proargtypes = array['text'::regtype]::oidvector
    and char_function.proargtypes = array['bpchar'::regtype]::oidvector
    and text_function.pronamespace = 'pg_catalog'::regnamespace
    and char_function.pronamespace = 'pg_catalog'::regnamespace
    and text_aggregate.aggtransfn <> char_aggregate.aggtransfn;
