"""QUALIFY as PostgreSQL can say it: the filtered query becomes a subquery whose every column is named again outside."""

from __future__ import annotations

from sqlglot import exp

from local.redshift.sql.plan import RefusedError

_NAME = "qualified"
_OUTER_PARTS = ("order", "limit", "offset", "distinct", "with_")


def _name(text: str) -> exp.Identifier:
    return exp.to_identifier(text, quoted=True)


def without_qualify(select: exp.Select) -> exp.Select:
    """The same query without QUALIFY; raise RefusedError if its columns cannot be named."""
    inner = select.copy()
    outer = exp.Select(**{part: value.pop() for part in _OUTER_PARTS if (value := inner.args.get(part))})
    condition = inner.args["qualify"].this.pop()
    inner.set("qualify", None)
    named = {item.alias: item.this for item in inner.expressions if isinstance(item, exp.Alias)}
    items: list[exp.Expr] = []
    names: set[str] = set()
    for position, item in enumerate(inner.expressions):
        if isinstance(item, exp.Star) or (isinstance(item, exp.Column) and isinstance(item.this, exp.Star)):
            for source in [item.table] if isinstance(item, exp.Column) else _sources(inner):
                # The whole row, of which * outside takes the columns: nothing else knows their names.
                row = f"row {position} {source}"
                items.append(exp.alias_(exp.Column(this=_name(source)), _name(row)))
                outer.append("expressions", exp.Var(this=f'("{_NAME}"."{row}").*'))
            continue
        name = item.alias_or_name or "?column?"
        if isinstance(item, exp.Anonymous | exp.Window) and not item.alias:
            name = str((item.this if isinstance(item, exp.Window) else item).this).lower()
        names.add(name)
        items.append(item if isinstance(item, exp.Alias) else exp.alias_(item, _name(name)))
        outer.append("expressions", exp.Column(this=_name(name), table=_name(_NAME)))
    for ordered in outer.args["order"].expressions if outer.args.get("order") else []:
        key = ordered.this
        if not isinstance(key, exp.Literal) and (key.name not in names or not _bare(key)):
            items.append(exp.alias_(key.copy(), _name(f"key {len(items)}")))
            key.replace(exp.Column(this=_name(f"key {len(items) - 1}")))
    for column in list(condition.find_all(exp.Column)):
        meant = named.get(column.name) if _bare(column) else None
        if meant is not None and meant.find(exp.Window):
            column.replace(exp.Paren(this=meant.copy()))
    items.append(exp.alias_(exp.Paren(this=condition), _name("qualifies")))
    inner.set("expressions", items)
    outer.set("from_", exp.From(this=exp.Subquery(this=inner, alias=exp.TableAlias(this=_name(_NAME)))))
    outer.set("where", exp.Where(this=exp.Column(this=_name("qualifies"))))
    return outer


def _bare(node: exp.Expr) -> bool:
    return isinstance(node, exp.Column) and not node.table


def _sources(select: exp.Select) -> list[str]:
    joins = select.args.get("joins") or []
    sources = [select.args["from_"].this, *(join.this for join in joins)] if select.args.get("from_") else []
    if not sources or any(join.args.get("using") for join in joins) or any(not each.alias_or_name for each in sources):
        raise RefusedError("QUALIFY is refused with * unless every table has a name of its own and none joins USING.")
    return [each.alias_or_name for each in sources]
