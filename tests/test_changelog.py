"""CHANGELOG.md begins with what is not released yet, and its newest release is the version of pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from datetime import date

from packaging.version import Version

from tests.pipeline import PROJECT

HEADINGS = re.findall(r"^## (.+)$", (PROJECT / "CHANGELOG.md").read_text(), re.MULTILINE)
RELEASES = [heading.split(" — ") for heading in HEADINGS[1:]]


def test_what_is_not_released_stands_on_top() -> None:
    assert HEADINGS[0] == "Unreleased"


def test_the_newest_release_is_the_version_of_pyproject() -> None:
    assert RELEASES[0][0] == tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]


def test_releases_stand_in_order_each_with_its_day() -> None:
    numbered = [(Version(version), date.fromisoformat(day)) for version, day in RELEASES]
    assert numbered == sorted(numbered, reverse=True)
