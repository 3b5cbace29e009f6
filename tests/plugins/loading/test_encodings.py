"""Bytes that COPY cannot read are called by their name."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile

import pytest

from sparkify.loading.encodings import look_of_file, look_of_line


def packed_by_tar() -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("2018-11-01-events.json"))
    return written.getvalue()


TEXT = '{"artist": "Sigur Rós", "ts": 1541030400000}\n'


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (TEXT.encode("utf-16"), "UTF-16"),
        (TEXT.encode("utf-16-le"), "UTF-16"),
        (TEXT.encode("utf-16-be"), "UTF-16"),
        (TEXT.encode("utf-32"), "UTF-32"),
        (TEXT.encode("utf-32-le"), "UTF-32"),
        (TEXT.encode("utf-32-be"), "UTF-32"),
        (gzip.compress(TEXT.encode()), "gzip"),
        (bz2.compress(TEXT.encode()), "bzip2"),
        (lzma.compress(TEXT.encode()), "xz"),
        (b"PK\x03\x04\x14\0", "ZIP"),
        (b"\x04\x22\x4d\x18\x64\x40", "LZ4"),
        (b"\xff\x06\0\0sNaPpY\0", "Snappy"),
        (b"\x1f\x9d\x90{", "compress"),
        (b"7z\xbc\xaf\x27\x1c\0", "7z"),
        (b"PAR1\x15\x04", "Parquet"),
        (b"Obj\x01\x04\x16avro", "Avro"),
        (b"ORC\n\x0b", "ORC"),
        (b"<!DOCTYPE html><title>Sign in</title>", "HTML or XML, as an error page or a sign-in page does"),
        (
            b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
            "HTML or XML, as an error page or a sign-in page does",
        ),
        (packed_by_tar(), "tar"),
        (b"\0" * 100, "zeros"),
    ],
)
def test_a_file_that_cannot_be_read_as_a_whole_is_called_by_its_name(data: bytes, name: str) -> None:
    assert f"The bytes {'are' if name == 'zeros' else 'look like'} {name}. " in look_of_file(data)
    assert look_of_line(data) == look_of_file(data)


@pytest.mark.parametrize(
    ("data", "name"), [(TEXT.encode("utf-8-sig"), "a byte-order mark"), (b"\x1a", "Ctrl-Z (0x1A)")]
)
def test_a_mark_is_of_its_line_alone(data: bytes, name: str) -> None:
    assert name in look_of_line(data)
    assert look_of_file(data) == ""


@pytest.mark.parametrize(
    "data", [TEXT.encode(), TEXT.encode("latin-1"), b"", b"{", b"\0{", b"oops", b"a\0b", b"{\0\0\0"]
)
def test_any_other_text_is_none_of_these(data: bytes) -> None:
    assert look_of_line(data) == ""
