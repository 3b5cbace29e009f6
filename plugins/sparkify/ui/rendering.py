"""Templates filled in and sent: the same helpers and the same headers for every page."""

from __future__ import annotations

import functools
import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse

from sparkify.addresses import DAG_ID, PREFIX, date_path, run_path
from sparkify.loading.published import counted, unreadable

HERE = Path(__file__).parent
STATIC = HERE / "static"
BRIEF = 180

# Shown in a frame of Airflow's own pages and in nobody else's; it fetches nothing from elsewhere.
POLICY = {
    "default-src": "'none'",
    "style-src": "'self'",
    "script-src": "'self'",
    "img-src": "'self'",
    "frame-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'self'",
}
# A report is a file that others may have written: it may look as it likes, and do nothing in its reader's name.
REPORT_POLICY = {
    "sandbox": "allow-popups",
    "default-src": "'none'",
    "style-src": "'unsafe-inline'",
    "img-src": "data:",
    "font-src": "data:",
    "frame-ancestors": "'self'",
}


def headers(policy: dict[str, str]) -> dict[str, str]:
    """Headers of a response that contains data: no caching, no MIME sniffing."""
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
    }


def page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A template filled in. It sees ``base``, the page's own path, and ``airflow``, that of Airflow."""
    base = str(request.scope.get("root_path", "")).rstrip("/") or PREFIX
    html = templates().get_template(template).render(
        base=base,
        airflow=base.removesuffix(PREFIX),
        dag_id=DAG_ID,
        version=static_version(),
        **values,
    )  # fmt: skip
    return HTMLResponse(html, status, headers=headers(POLICY))


@functools.cache
def templates() -> jinja2.Environment:
    """The templates; every value that is filled in is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        number=lambda value: f"{value:,}",
        size=size,
        duration=duration,
        percent=lambda share, whole: f"{100 * share / whole:.2f}%" if share and whole else "0%",
        moment=moment,
        day=lambda value: f"{value:%A}, {value.day} {value:%B %Y}",
        short_day=lambda value: f"{value.day} {value:%b %Y}",
        counted=counted,
        brief=brief,
        unreadable=unreadable,
        run_path=lambda run: run_path(DAG_ID, run.run_id),
        date_path=date_path,
    )
    return environment


@functools.cache
def static_version() -> str:
    """Changes when the style sheet or the script does, so that no browser keeps an old one."""
    files = sorted(path for path in STATIC.iterdir() if path.is_file())
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]


def brief(sentence: str) -> str:
    """A sentence's beginning on one line, with all that has room in a list."""
    line = " ".join(sentence.split())
    return line if len(line) <= BRIEF else f"{line[:BRIEF].rsplit(' ', 1)[0]} …"


def size(value: float) -> str:
    """Bytes in the unit that leaves few digits: ``512 B``, ``1.4 MB``."""
    for unit in ("B", "KB", "MB", "GB"):
        if value < 1000:
            return f"{value:.3g} {unit}" if unit != "B" else f"{value:.0f} B"
        value /= 1000
    return f"{value:,.3g} TB"


def duration(seconds: float | None) -> str:
    """``0.8 s``, ``2 min 5 s``, ``1 h 4 min``; a dash where it is not known."""
    if seconds is None:
        return "–"  # noqa: RUF001
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def moment(value: datetime | str | None) -> str:
    """A time to the minute, in UTC; a dash where there is none."""
    if value is None:
        return "–"  # noqa: RUF001
    when = datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M}"
