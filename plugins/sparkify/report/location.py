"""Where reports lie in the control bucket: a folder for each day on which one was made, and the latest."""

from __future__ import annotations

from datetime import date

FOLDER = "reports"
LATEST = "latest"
PAGE = "report.html"
DATA = "report.json"


def page_path(made_on: date | None = None) -> str:
    """The page's path below the control prefix: of the day it was made on (UTC), or of the latest."""
    return f"{FOLDER}/{made_on or LATEST}/{PAGE}"


def data_path(made_on: date | None = None) -> str:
    """The path of the page's data, as JSON, below the control prefix."""
    return f"{FOLDER}/{made_on or LATEST}/{DATA}"
