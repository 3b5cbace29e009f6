"""What somebody would write where a text is expected, to have it run."""

from __future__ import annotations

import bz2
import gzip
import json
from collections.abc import Mapping
from typing import Any

MARK = "h0stile"
"""Stands in each text, so that it is known again wherever it comes to."""

# Each begins with what would end the literal, the name or the comment that it is put into.
TEXTS = (
    f"';--{MARK}'; drop table canary; --",
    f"\\';--{MARK}\\'; drop table canary; --",
    f'";--{MARK}"; drop table canary; --',
    f"$$;{MARK}$$; drop table canary; $$",
    f"*/;{MARK}*/ drop table canary /*",
    f"{{{{7*7}}}}{MARK}{{% for i in [1] %}}{{{{ params }}}}{{% endfor %}}{{# x #}}",
    f"%s%(a)s%%{MARK}%d {{0}} {{a}} $1 :a ?",
    f"\n;{MARK}\r\n\tdrop table canary;\n\\.\n",
    f"ʼ;{MARK}＇; drop table canary; \u2028\u202e 漢字 😀 é",
    f"a.sql {MARK} ../../b.sql",
    f" {MARK}\\n\\x27\\047;&quot;&#39;%27%3B<script>alert(1)</script>.sql",
)

ODD_TEXTS = (
    f"half a surrogate {MARK} \ud83d",
    f"the other half {MARK} \ude00",
    f"NUL {MARK} \0",
    f"colours \x1b[31m, title \x1b]0;{MARK}\x07, clipboard \x1b]52;c;cm0gLXJmIH4=\x07",
    f"all of C0 {MARK} " + "".join(map(chr, range(0x20))),
    f"all of C1 {MARK} \x7f" + "".join(map(chr, range(0x80, 0xA0))),
    f"bidi {MARK} \u202egnp.exe\u202c \u2066x\u2069 \u200f",
    f"separators {MARK} \u2028\u2029\x85\x0b\x0c",
    f"byte-order mark \ufeff, no character \uffff \ufdd0 \U0010ffff {MARK}",
    f'=HYPERLINK("https://a.example/{MARK}")',
    f"+{MARK}",
    f"-{MARK}",
    f"@{MARK}",
)
"""What breaks a terminal, an encoding, a drawing or a spreadsheet that takes it as it is."""

REFUSED_TEXTS = tuple(text for text in ODD_TEXTS if "\0" in text or any("\ud800" <= one <= "\udfff" for one in text))
"""Those of them that COPY puts into no column."""


def odd_files(event: Mapping[str, Any]) -> dict[str, bytes]:
    """Files of a date, each of this event and of something odd, by what that is; in .gz where the file is named so."""
    line = json.dumps(event).encode()
    other = json.dumps({**event, "itemInSession": 77}).encode()
    plain = line + b"\n" + other + b"\n"
    text = plain.decode()
    deep = b"[" * 100_000 + b"]" * 100_000
    return {
        "byte-order mark": b"\xef\xbb\xbf" + plain,
        "byte-order mark within": line + b"\n\xef\xbb\xbf" + other,
        "UTF-16": text.encode("utf-16"),
        "UTF-16 without a mark": text.encode("utf-16-le"),
        "UTF-16 the other way round": text.encode("utf-16-be"),
        "UTF-16 after an empty line": ("\n" + text).encode("utf-16-le"),
        "UTF-32": text.encode("utf-32"),
        "UTF-32 without a mark": text.encode("utf-32-le"),
        "Latin-1": plain.replace(b"Porto", b"M\xfcnchen"),
        "gzip": gzip.compress(plain),
        "packed twice.gz": gzip.compress(gzip.compress(plain)),
        "plain.gz": plain,
        "cut off.gz": gzip.compress(plain)[:-9],
        "something behind.gz": gzip.compress(plain) + b"\n",
        "other checksum.gz": gzip.compress(plain)[:-8] + bytes(8),
        "packed three times.gz": gzip.compress(gzip.compress(gzip.compress(plain))),
        "bzip2": bz2.compress(plain),
        "a page of HTML": b"<!DOCTYPE html>\n<title>Sign in</title>\n",
        "two members.gz": gzip.compress(line + b"\n") + gzip.compress(other),
        "zeros": b"\0" * 1000,
        "zeros behind": plain + b"\0" * 1000,
        "Ctrl-Z": plain + b"\x1a",
        "CR LF": plain.replace(b"\n", b"\r\n"),
        "CR CR LF": plain.replace(b"\n", b"\r\r\n"),
        "CR": plain.replace(b"\n", b"\r"),
        "raw controls": b"".join(line.replace(b"Porto", bytes([code])) + b"\n" for code in range(0x20)),
        "deep nesting": plain + line.replace(b'"Porto"', deep),
        "deep nesting that never ends": plain + line.replace(b'"Porto"', deep[:100_000]),
        "commas": line + b",\n" + other + b",\n",
        "an array": b"[" + line + b",\n" + other + b"]",
        "comments": b"// events\n" + line + b"\n# more\n" + other,
        "twice the same name": line[:-1] + b', "ts": 1}\n' + other + b"\n" + b'{"ts": 1,' + line[1:],
        "zeros between": line + b"\0" + other + b"\n" + line,
        "cut in a character": plain.replace(b"Porto", b"\xe6\xbc"),
        "surrogates as UTF-8": plain.replace(b"Porto", b"\xed\xa0\xbd\xed\xb8\x80"),
        "objects in objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"\n" + plain,
        "brackets that close nothing": b"]" * 100_000 + b"\n" + plain,
        "large": line.replace(b'"Porto"', b'"' + b"x" * 5_000_000 + b'"') + b"\n" + plain,
        "controls in names": plain[:-2] + b', "a\\u001b[31m\\u0000\\u202e": 1, "\\ud83d": 2, "": 3}\n',
        "pretty": json.dumps(event, indent=1).encode() + b"\n" + other,
        "all on one line": line + other + b" " + line.replace(b'"ts": 1', b'"ts": x1'),
        "never ends": plain + line[:-40] + b"\n" + line.replace(b'"itemInSession": 0', b'"itemInSession": 78'),
        "nothing": b"",
        "blanks": b" \r\n\t\n",
        "no object": b'null\n1\n"x"\n[]\ntrue\n',
    }


ODD_VALUES = (
    *(
        b'""',
        b'" "',
        b'"x"',
        b'"\\u0000"',
        b'"\\ud83d"',
        b'"\x01"',
        b'"\\u0001"',
        b'"\xff"',
        b'"\xc2\xa039"',
        b"true",
        b"false",
    ),
    *(
        b"1",
        b"-0",
        b"1.5",
        b"39.0",
        b"1e2",
        b"1E400",
        b"-1e-400",
        b"9" * 25,
        b"9" * 400,
        b"2147483648",
        b'"2147483648"',
    ),
    *(
        b'"39.0"',
        b'" 39"',
        b'"39 "',
        b'"+39"',
        b'"3,9"',
        '"\uff13\uff19"'.encode(),
        b'"0x10"',
        b'"1e2"',
        b"99999.999996",
    ),
    *(b"100000", b"0.000005", b"-99999.999996", b'{"a": 1}', b"[1, 2]", b"[[]]", b"{}", b"[]", b'{"a": "\\ud83d"}'),
    *(b'{"\\u0000": 1}', b'{"$numberLong": "1541073600000"}', b"NaN", b'"NaN"', b"-Infinity", b"0x10", b"010", b".5"),
    *(b"5.", b"--1", b"1_000", b"nul", b"TRUE", b"'x'", b'"' + b"x" * 20 + b'"', b'"' + "\u00e9".encode() * 600 + b'"'),
    *(
        b'"' + b"x" * 70_000 + b'"',
        b'"\\q"',
        b'"\\u12"',
        b'"a\\/b"',
        b'"\t"',
        b'"\\ud83d\\ude00"',
        b"[" * 200 + b"]" * 200,
    ),
    *(b"1541073600", b"1541073600000000", b'"1541073600000000000"', b"154107360000", b"636766704000000000", b"17836"),
    *(b"1.5410736e12", b"1541073600000.5", b'"2018-11-01T12:00:00Z"', b'"/Date(1541073600000)/"', b"946684799999"),
    *(b"4102444800000", b"4102444799999", b"9223372036854775808", b"-9223372036854775809", b"-62135596800000"),
)
"""What may stand for a value, as it is written: of each kind, of another kind than is meant, or no JSON at all."""

ODD_TIMES = (
    *(0, 1, -1, -62_135_596_800_000, 253_402_300_799_999, 946_684_799_999, 4_102_444_800_000),
    *(1_543_660_000, 1_543_660_000_000_000, 1_543_660_000_000_000_000, 2**63 - 1, -(2**63)),
)
"""Times that are no epoch milliseconds of this century, all of which a BIGINT holds: defaults, edges, other units."""
