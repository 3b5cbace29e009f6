"""docs/compatibility.md: what of it the tests write, and what a version is named by."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from tests.deploy.services import Service
from tests.pipeline import PROJECT

PAGE = PROJECT / "docs" / "compatibility.md"
BEGIN = (
    "<!-- Written by: WRITE_COMPATIBILITY=1 pytest --every-airflow tests/deploy/test_services.py -->\n\n"
    "| Airflow | as it is at | Python | Amazon provider | driver | tried on |\n|---|---|---|---|---|---|\n"
)
NAMES = {"mwaa": "Amazon MWAA", "astronomer": "Astronomer"}


def rows() -> dict[str, str]:
    """The rows of the page's table, by version."""
    table = PAGE.read_text().partition(BEGIN)[2].partition("\n\n")[0]
    return {line.split(" | ")[0].removeprefix("| "): line for line in table.splitlines()}


def row(service: Service, versions: Mapping[str, str]) -> str:
    """What to say of an Airflow that was tried now."""
    provider, driver = versions["apache-airflow-providers-amazon"], versions["redshift-connector"]
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    cells = (service.version, NAMES[service.name], versions["python"], provider, driver, today)
    return f"| {' | '.join(cells)} |"


def write(version: str, line: str) -> None:
    """Put the row of a version into the page."""
    before, begin, rest = PAGE.read_text().partition(BEGIN)
    _, blank, after = rest.partition("\n\n")
    table = sorted((rows() | {version: line}).items())
    PAGE.write_text(f"{before}{begin}{chr(10).join(text for _, text in table)}{blank}{after}")
