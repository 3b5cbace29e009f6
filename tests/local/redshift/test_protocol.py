from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.redshift import protocol

KINDS = st.sampled_from([b"D", b"D", b"D", b"C", b"Z", b"E"])
ROWS = st.lists(st.lists(st.none() | st.text(st.characters(exclude_characters="\0")), max_size=4), max_size=6)


def data_row(row: list[str | None]) -> bytes:
    values = (value if value is None else value.encode() for value in row)
    fields = (b"\xff" * 4 if value is None else len(value).to_bytes(4, "big") + value for value in values)
    return protocol.message(b"D", len(row).to_bytes(2, "big") + b"".join(fields))


@given(st.lists(st.tuples(KINDS, st.binary(max_size=9)), max_size=12), st.data())
def test_messages_come_whole_and_in_order_however_the_bytes_arrive(
    sent: list[tuple[bytes, bytes]], data: st.DataObject
) -> None:
    stream = b"".join(protocol.message(kind, body) for kind, body in sent)
    buffer, pieces, position = bytearray(), list[tuple[bytes, bytes]](), 0
    while position < len(stream):
        end = data.draw(st.integers(position + 1, len(stream)))
        buffer += stream[position:end]
        pieces += protocol.messages(buffer)
        position = end
    assert b"".join(whole for _, whole in pieces) == stream
    assert not buffer
    assert all(whole[:1] == kind for kind, whole in pieces)
    others = [(kind, whole) for kind, whole in pieces if kind != b"D"]
    assert others == [(kind, protocol.message(kind, body)) for kind, body in sent if kind != b"D"]


@given(ROWS)
def test_a_run_of_rows_is_read_row_by_row(rows: list[list[str | None]]) -> None:
    assert list(protocol.rows_of(b"".join(map(data_row, rows)))) == rows


@given(
    st.dictionaries(
        st.sampled_from("SCMDH"), st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=1
    )
)
def test_an_errors_fields_survive_the_way(fields: dict[str, str]) -> None:
    assert protocol.BackendError(protocol.report(b"E", fields)[5:]).fields == fields


@pytest.mark.parametrize("length", [b"GET ", b"\x16\x03\x01\x00", b"\xff\xff\xff\xff", b"\0\0\0\x03"])
def test_a_length_that_no_message_has_is_refused(length: bytes) -> None:
    async def read() -> bytes:
        reader = asyncio.StreamReader()
        reader.feed_data(length)
        return await protocol.read_body(reader)

    with pytest.raises(protocol.ProtocolError, match="not the PostgreSQL protocol"):
        asyncio.run(read())
