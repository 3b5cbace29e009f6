"""Recognises files in an encoding that COPY cannot read."""

from __future__ import annotations

import re

OF_GZIP = b"\x1f\x8b"
_UTF_8 = "The bytes look like {}. Save the file as UTF-8."
_PACKED = "The bytes look like {}. Deliver the file plain, or packed once by gzip and named .json.gz."
_AS_JSON = "The bytes look like {}. Deliver the file as JSON."
# What a line may begin with, in words.
OF_A_LINE = (
    (b"\xef\xbb\xbf", "The bytes begin with a byte-order mark. Save the file as UTF-8 without it."),
    (b"\x1a", "The byte is Ctrl-Z (0x1A), which ends a text file in DOS. Take it out."),
)
# What the whole file is if it begins so. The longer of two marks stands first.
OF_A_FILE = (
    (b"\xff\xfe\0\0", _UTF_8.format("UTF-32")),
    (b"\0\0\xfe\xff", _UTF_8.format("UTF-32")),
    (b"\xff\xfe", _UTF_8.format("UTF-16")),
    (b"\xfe\xff", _UTF_8.format("UTF-16")),
    (OF_GZIP, _PACKED.format("gzip")),
    (b"BZh", _PACKED.format("bzip2")),
    (b"\x28\xb5\x2f\xfd", _PACKED.format("Zstandard")),
    (b"\xfd7zXZ", _PACKED.format("xz")),
    (b"\x04\x22\x4d\x18", _PACKED.format("LZ4")),
    (b"\xff\x06\0\0sNaPpY", _PACKED.format("Snappy")),
    (b"\x1f\x9d", _PACKED.format("compress")),
    (b"7z\xbc\xaf", _PACKED.format("7z")),
    (b"PK\x03\x04", _PACKED.format("ZIP")),
    (b"PAR1", _AS_JSON.format("Parquet")),
    (b"Obj\x01", _AS_JSON.format("Avro")),
    (b"ORC", _AS_JSON.format("ORC")),
    (b"<", _AS_JSON.format("HTML or XML, as an error page or a sign-in page does")),
)
# Without a mark: what two characters of ASCII look like.
UTF_32 = re.compile(rb"(?:[^\0]\0{3}){2}|(?:\0{3}[^\0]){2}")
UTF_16 = re.compile(rb"(?:[^\0]\0){2}|(?:\0[^\0]){2}")
NULS = b"\0" * 4
# https://www.gnu.org/software/tar/manual/html_node/Standard.html
OF_TAR, TAR_AT = b"ustar", 257


def look_of_line(beginning: bytes) -> str:
    """What a line that begins so looks like, and what to do, in words; '' if like any other text."""
    return next((words for mark, words in OF_A_LINE if beginning.startswith(mark)), "") or look_of_file(beginning)


def look_of_file(beginning: bytes) -> str:
    """The same of a file, if the whole of it cannot be read."""
    for mark, words in OF_A_FILE:
        if beginning.startswith(mark):
            return words
    if UTF_32.match(beginning):
        return _UTF_8.format("UTF-32")
    if UTF_16.match(beginning):
        return _UTF_8.format("UTF-16")
    if beginning.startswith(OF_TAR, TAR_AT):
        return "The bytes look like tar. Deliver the files in it, each by itself."
    if beginning.startswith(NULS):
        return "The bytes are zeros. Deliver the file again: it was not written to its end."
    return ""
