"""Makes text of files and servers safe for a log or a terminal."""

from __future__ import annotations

import re
import unicodedata

# Controls, format characters such as bidi marks, half surrogates, line and paragraph separators: a terminal obeys
# them, and some encodings refuse them (https://www.unicode.org/reports/tr44/#General_Category_Values).
OBEYED = {"Cc", "Cf", "Cs", "Zl", "Zp"}
SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
# What servers and Python quote, what PostgreSQL says about a row, and numbers as long as an identifier.
VALUES = re.compile(
    r"""(?<!\w)(?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")"""
    r"|(?<=\)=)\([^\n]*\)|(?<=row contains )\([^\n]*\)|(?<![\w/.:-])\d{6,}"
)


def masked(text: str) -> str:
    """Returns the text with an ellipsis in place of each value that it may quote."""
    return VALUES.sub("…", text)


def shown(text: str, *, keep: str = "") -> str:
    r"""Returns the text with each character that a screen obeys as an escape, such as ``\x1b`` or ``\u202e``.

    A backslash stays as it is: the result is to be read, not to be decoded.

    :param keep: characters that stay, such as the line ends of a sentence of several lines.
    """
    if text.isprintable():
        return text
    return "".join(_escape(one) if _is_obeyed(one) and one not in keep else one for one in text)


def shown_json(text: str) -> str:
    r"""Returns the JSON text with each such character as JSON's own escape: its value stays the same."""
    if text.isprintable():
        return text
    return "".join(_json_escape(one) if _is_obeyed(one) and one != "\n" else one for one in text)


def _is_obeyed(one: str) -> bool:
    return not one.isprintable() and unicodedata.category(one) in OBEYED


def _escape(one: str) -> str:
    code = ord(one)
    if one in SHORT:
        return SHORT[one]
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _json_escape(one: str) -> str:
    units = one.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
