"""Values of an object as they are written in the file: ``1.50`` stays ``1.50``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import msgspec

# Of an object that is no JSON so much is looked at.
MOST_SEARCHED = 65_535
NAME = re.compile(r"\['([^']+)'\]|\[\"([^\"]+)\"\]|\.([^.\[\]]+)")
# A text, which ends with its line at the latest, a sign of structure, or a run of anything else.
PART = re.compile(rb'"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"?|[{}\[\]:,]|[^\s"{}\[\]:,]++', re.DOTALL)


def steps(path: str) -> tuple[str, ...]:
    """The names that a JSONPath goes through: ``$['a']['b']`` and ``$.a.b`` are a, b."""
    return tuple("".join(names) for names in NAME.findall(path))


def written(text: bytes, path: Iterable[str]) -> bytes | None:
    """The value at these names as it stands in an object's text, also if that is no JSON; None if it is not there."""
    found: bytes | None = text
    for name in path:
        if found is None:
            return None
        found = _member(found, name)
    return found


def _member(text: bytes, name: str) -> bytes | None:
    decode = _decoder(name)
    if decode:
        try:
            return bytes(decode(text).value).strip() or None
        except (msgspec.DecodeError, RecursionError):
            # Half a surrogate, too deep a nesting, or no JSON at all.
            pass
    return _search(text[:MOST_SEARCHED], name)


@lru_cache(maxsize=128)
def _decoder(name: str) -> Any:
    """Reads one member and builds none of the others."""
    try:
        member = msgspec.defstruct("Member", [("value", msgspec.Raw, msgspec.Raw(b""))], rename={"value": name})
    except ValueError:
        # Of a name with quotes it makes no field.
        return None
    return msgspec.json.Decoder(member).decode


def _search(text: bytes, name: str) -> bytes | None:
    """The last member of this name, as far as brackets and commas tell."""
    found: bytes | None = None
    key: bytes | None = None
    depth = begin = end = 0
    in_value = False
    for part in PART.finditer(text):
        sign = part[0]
        if depth == 1 and in_value and sign in (b",", b"}"):
            found = text[begin:end] if _is_named(key, name) else found
            in_value, key = False, None
        if sign in (b"{", b"["):
            depth += 1
        elif sign in (b"}", b"]"):
            depth -= 1
        elif depth == 1 and not in_value:
            if sign == b":":
                in_value, begin = key is not None, part.end()
            else:
                key = sign if sign.startswith(b'"') else None
        end = part.end()
    if in_value and _is_named(key, name):
        found = text[begin:]
    return None if found is None else found.strip()


def _is_named(key: bytes | None, name: str) -> bool:
    try:
        return str(json.loads((key or b"").decode("utf-8", "replace"))) == name
    except ValueError:
        return False
