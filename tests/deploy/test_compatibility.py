"""docs/compatibility.md lists every supported version, and no other."""

from __future__ import annotations

import re
from datetime import date

from deploy.distributions import ASTRO_RUNTIMES
from deploy.requirements import airflow_version, read_lock
from sparkify.airflow_versions import SUPPORTED
from tests.deploy.compatibility import PAGE, rows
from tests.pipeline import PROJECT

KEPT = PAGE.read_text().partition("## Until when")[2].partition("\n## ")[0]


def test_every_version_was_tried_and_says_when() -> None:
    assert tuple(rows()) == SUPPORTED
    for line in rows().values():
        date.fromisoformat(line.rpartition(" | ")[2].removesuffix(" |"))


def test_it_says_until_when_each_is_kept() -> None:
    assert sorted(re.findall(r"^\| (\d\S+) \|", KEPT, re.MULTILINE)) == list(SUPPORTED)


def test_the_lock_and_astronomers_runtime_are_of_the_newest() -> None:
    assert airflow_version(read_lock(PROJECT / "requirements.txt")) == SUPPORTED[-1]
    assert list(ASTRO_RUNTIMES) == [SUPPORTED[-1]]
