"""What docs/security.md tells people to set up: policies, trust policies and grants, under the headings there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[2] / "docs" / "security.md"


def blocks(heading: str, language: str) -> list[str]:
    """The code blocks of a language under a heading, up to the next heading."""
    section = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert section, f"docs/security.md has no heading {heading!r}."
    found = re.findall(rf"```{language}\n(.*?)```", section[1], re.DOTALL)
    assert found, f"docs/security.md shows no {language} under {heading!r}."
    return [str(block) for block in found]


def policies(heading: str) -> list[dict[str, Any]]:
    """The policies under a heading: what is allowed first, then, for a role, who may take it."""
    return [json.loads(block) for block in blocks(heading, "json")]


def statements(heading: str) -> list[str]:
    """The SQL statements under a heading."""
    return [line.strip() for block in blocks(heading, "sql") for line in block.split(";") if line.strip()]
