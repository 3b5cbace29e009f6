"""What somebody would write where a text is expected, to have it run."""

from __future__ import annotations

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
    "half a surrogate \ud83d",
    "the other half \ude00",
    "NUL \0",
    "colours \x1b[31m, title \x1b]0;owned\x07, clipboard \x1b]52;c;cm0gLXJmIH4=\x07",
    "all of C0 " + "".join(map(chr, range(0x20))),
    "all of C1 \x7f" + "".join(map(chr, range(0x80, 0xA0))),
    "bidi \u202egnp.exe\u202c \u2066x\u2069 \u200f",
    "separators \u2028\u2029\x85\x0b\x0c",
    "byte-order mark \ufeff, no character \uffff \ufdd0 \U0010ffff",
    "=HYPERLINK(1)",
    "+1",
    "-1",
    "@SUM(1)",
)
"""What breaks a terminal, an encoding, a drawing or a spreadsheet that takes it as it is."""
