"""What the first bytes of a file say it is, if that is not UTF-8."""

from __future__ import annotations

import re

from local.redshift.load.columns import ValueRefusedError

# https://docs.aws.amazon.com/redshift/latest/dg/r_Load_Error_Reference.html
_OTHER_ENCODING = 1221
_INVALID_LINE = 1216
_UTF_16 = re.compile(rb"[^\0]\0[^\0]\0|\0[^\0]\0[^\0]")
_ENCODINGS = {
    b"\xff\xfe\0\0": "UTF-32, as its byte order mark says",
    b"\0\0\xfe\xff": "UTF-32, as its byte order mark says",
    b"\xff\xfe": "UTF-16, as its byte order mark says",
    b"\xfe\xff": "UTF-16, as its byte order mark says",
}
_COMPRESSIONS = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\x28\xb5\x2f\xfd": "Zstandard", b"PK\x03\x04": "ZIP"}


def foreign_bytes(beginning: bytes) -> ValueRefusedError | None:
    """Why a file that begins so cannot be read.

    COPY skips a file of another encoding than it was told, and returns an error:
    https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-conversion.html#copy-encoding. Whether it goes
    on with other files is not certain, so it fails here.
    """
    for mark, encoding in _ENCODINGS.items():
        if beginning.startswith(mark):
            return _other_encoding(encoding)
    if _UTF_16.match(beginning):
        return _other_encoding("UTF-16 without a byte order mark")
    for mark, compression in _COMPRESSIONS.items():
        if beginning.startswith(mark):
            words = f"Invalid JSON format: the file is compressed by {compression}, and COPY was not told so"
            return ValueRefusedError(_INVALID_LINE, words)
    return None


def _other_encoding(encoding: str) -> ValueRefusedError:
    words = f"The file is not UTF8, which COPY expects: it is {encoding}"
    return ValueRefusedError(_OTHER_ENCODING, words)
