"""What the stand-in knows, as read from allowed.toml: a name that is not there is refused, whatever PostgreSQL has."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Any

from local.redshift.sql.plan import RefusedError

SCHEMA = "redshift_compat"
ALLOWED: dict[str, Any] = tomllib.loads(resources.files(__package__).joinpath("allowed.toml").read_text("utf-8"))


# As many arguments as PostgreSQL takes where Redshift names no limit.
MANY = 100


@dataclass(frozen=True)
class Function:
    """``target`` is PostgreSQL's name for it, or a text of its arguments ``{0}``, ``{1}`` …"""

    kind: str
    least: int
    most: int
    page: str
    target: str


def _functions(table: str) -> dict[str, Function]:
    found = {}
    for line in table.strip().splitlines():
        row, _, target = line.partition(" => ")
        kind, count, page, *names = row.split()
        least, several, most = count.partition("-")
        arguments = int(least), int(most or MANY) if several else int(least)
        for each in names:
            name = each.removeprefix("~")
            own = each.replace("~", f"{SCHEMA}.")
            found[name] = Function(kind, *arguments, page.format(name.upper()), target or own)
    return found


def _turned(table: dict[str, str]) -> dict[str, str]:
    return {word: key for key, words in table.items() for word in words.split()}


FUNCTIONS = _functions(ALLOWED["functions"])
CATALOGUE_FUNCTIONS = frozenset(ALLOWED["catalogue_functions"].split())
# Every spelling of a date part, by what PostgreSQL calls it; and which of those a function takes.
DATE_PARTS = _turned(ALLOWED["date_parts"])
PARTS_OF = {name: parts.split() for names, parts in ALLOWED["parts_of"].items() for name in names.split()}
# Parameters only Redshift has, with their defaults, are remembered and shown, without effect.
REDSHIFT_SETTINGS: dict[str, str] = ALLOWED["redshift_settings"]
SHARED_SETTINGS = frozenset(ALLOWED["shared_settings"].split())
# Redshift's system views and those with keys live in the compatibility schema whatever the search path says.
SYSTEM_VIEWS = frozenset(ALLOWED["system_views"].split())
KEY_VIEWS = frozenset(("table_constraints", "key_column_usage"))
# Names PostgreSQL gives to every table's hidden columns; Redshift has none of them.
HIDDEN_COLUMNS = frozenset(("ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"))


def setting_name(name: str) -> str:
    """PostgreSQL's name of a session parameter; raise RefusedError for one that is not known."""
    setting_value("" if name == "enable_case_sensitive_identifier" else name)  # names are always folded here
    return name if name in SHARED_SETTINGS else f"redshift.{name}"


def setting_value(name: str) -> str:
    """PostgreSQL text for the value of a session parameter; raise RefusedError for one that is not known."""
    if name in REDSHIFT_SETTINGS:
        return f"coalesce({SCHEMA}.remembered('{name}'), '{REDSHIFT_SETTINGS[name]}')"
    if name in SHARED_SETTINGS:
        return f"(SELECT setting FROM pg_catalog.pg_settings WHERE pg_settings.name = '{name}')"
    raise RefusedError(f'The parameter "{name}" is refused: the stand-in does not know it.', "42704")
