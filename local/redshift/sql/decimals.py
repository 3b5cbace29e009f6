"""The precision and scale of DECIMAL arithmetic, as far as a statement alone tells them.

Source: "Computations with numeric values" in the Amazon Redshift Database Developer Guide,
https://docs.aws.amazon.com/redshift/latest/dg/r_numeric_computations201.html.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlglot import exp

_MOST_DIGITS = 38
_LEAST_SCALE = 4


class Decimal(NamedTuple):
    """A type by its precision and scale; ``whole`` if it is an integer type, which counts as such a decimal."""

    precision: int
    scale: int
    whole: bool = False


_INTEGERS = {
    exp.DType.SMALLINT: Decimal(5, 0, True),
    exp.DType.INT: Decimal(10, 0, True),
    exp.DType.BIGINT: Decimal(19, 0, True),
}


def decimal_type(node: exp.Expr) -> Decimal | None:
    """The type of an expression, if the statement alone tells that it is a whole number or a DECIMAL."""
    if isinstance(node, exp.Paren | exp.Neg):
        return decimal_type(node.this)
    if isinstance(node, exp.Literal):
        return None if node.is_string else _literal(node.name)
    if isinstance(node, exp.Cast):
        return _declared(node.to)
    if isinstance(node, exp.Anonymous):
        return _INTEGERS[exp.DType.BIGINT] if node.name.lower() == "count" else None
    if isinstance(node, exp.Add | exp.Sub | exp.Mul | exp.Div):
        return _computed(node)
    return None


def _literal(written: str) -> Decimal | None:
    if "e" in written.lower():
        return None
    whole, _, fraction = written.partition(".")
    if "." in written:
        return Decimal(len(whole.lstrip("0")) + len(fraction), len(fraction))
    for kind, most in ((exp.DType.INT, 2**31), (exp.DType.BIGINT, 2**63)):
        if int(written) < most:
            return _INTEGERS[kind]
    return Decimal(len(written), 0)


def _declared(kind: exp.Expr) -> Decimal | None:
    if kind.this in _INTEGERS:
        return _INTEGERS[kind.this]
    if kind.this != exp.DType.DECIMAL:
        return None
    sizes = [int(size.name) for size in kind.expressions]
    return Decimal(*([*sizes, 0][:2] if sizes else (18, 0)))


def _computed(node: exp.Expr) -> Decimal | None:
    left, right = decimal_type(node.this), decimal_type(node.expression)
    if left is None or right is None:
        return None
    if left.whole and right.whole:
        return max(left, right)
    if isinstance(node, exp.Div):
        return quotient_type(left, right)
    if isinstance(node, exp.Mul):
        scale = left.scale + right.scale
        precision = left.precision + right.precision + 1
    else:
        scale = max(left.scale, right.scale)
        precision = max(left.precision - left.scale, right.precision - right.scale) + 1 + scale
    return Decimal(min(precision, _MOST_DIGITS), scale)


def quotient_type(left: Decimal, right: Decimal) -> Decimal:
    """The type of a quotient of two decimals."""
    scale = max(_LEAST_SCALE, left.scale + right.precision - right.scale + 1)
    precision = left.precision - left.scale + right.scale + scale
    if precision > _MOST_DIGITS:
        scale = max(_MOST_DIGITS + scale - precision, _LEAST_SCALE)
        precision = _MOST_DIGITS
    return Decimal(precision, scale)
