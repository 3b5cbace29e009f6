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
