"""Whole blocks are decoded at once, whether integers stand in quotes or not."""

from __future__ import annotations

from functools import partial

from local.redshift.load.blocks import BlockDecoder
from local.redshift.load.columns import Column, convert
from local.redshift.sql.plan import Load

COLUMNS = [Column("user_id", "int4"), Column("ts", "int8"), Column("page", "varchar", length=8)]
LOAD = Load("copy t", ("t",), (), "s3://bucket/key")


def decoder() -> BlockDecoder:
    names = [column.name for column in COLUMNS]
    return BlockDecoder(COLUMNS, names, [partial(convert, column, LOAD) for column in COLUMNS], False)


def test_columns_in_which_integers_are_quoted_are_learned_from_the_blocks() -> None:
    blocks = decoder()
    assert blocks.decode(b'{"user_id":1,"ts":2,"page":"a"}\n') == [(1, 2, "a")]
    assert blocks.decode(b'{"user_id":"39","ts":2,"page":"a"}\n{"user_id":null,"ts":3}\n') == [
        ("39", 2, "a"),
        (None, 3, None),
    ]
    assert blocks.decode(b'{"user_id":4,"ts":"5","page":"a"}\n') == [(4, "5", "a")]


def test_what_is_quoted_and_no_integer_of_the_column_is_left_to_be_read_object_by_object() -> None:
    blocks = decoder()
    for value in ('"x"', '"2147483648"', "2147483648", "1.5", "true", "[]"):
        assert blocks.decode(b'{"user_id":%s,"ts":2,"page":"a"}\n' % value.encode()) is None, value
        assert blocks.decode(b'{"user_id":" 7","ts":2,"page":"a"}\n') == [(7, 2, "a")]
    assert blocks.decode(b"[1]\n") is None
