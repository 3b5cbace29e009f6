"""COPY's figures for a reader: in the terminal, as a page, and the memory as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from rich.table import Table

from benchmarks.report import machine

if TYPE_CHECKING:
    from benchmarks.copy_speed import Figure, Memory

PAGE = """\
# What COPY costs here

How fast the Redshift stand-in copies, what memory that takes, and what a statement costs that passes through it.
`python -m benchmarks.copy_speed --write docs/benchmarks-copy.md` measured it; this page is its output.

| | |
|---|---|
| Measured | {today} |
| Machine | {machine} |
| Events | 18 columns of `staging_events`, one JSON object a line, in {objects} objects listed by a manifest |
| Compared with | `psql \\copy` of the same rows as CSV into the same table of the same PostgreSQL, in turns |
| Speeds | {speeds} |

| | measured | limit | holds | |
|---|---:|---:|---|---|
{rows}

The objects come from the stack's own S3 (moto); that, PostgreSQL and the stand-in share the machine's processors.

![The stand-in's resident memory while it loads](images/copy-memory.svg)

Memory does not grow with what is loaded: objects are read, decoded and sent on in pieces of about a megabyte.
"""

_WIDTH, _HEIGHT, _LEFT, _TOP = 720, 320, 60, 20
_COLOURS = ("#2a78b8", "#d0742b", "#3a8f4d")
_MOST_MIB = 450
_LIMIT_MIB = 400
_MOST_POINTS = 200


def as_table(figures: Sequence[Figure]) -> Table:
    """The figures for the terminal."""
    table = Table(title="COPY", title_justify="left")
    for heading, side in (("", "left"), ("measured", "right"), ("limit", "right"), ("holds", "left"), ("", "left")):
        table.add_column(heading, justify="right" if side == "right" else "left")
    for figure in figures:
        table.add_row(*_cells(figure))
    return table


def as_markdown(figures: Sequence[Figure], *, objects: int, repeats: int) -> str:
    """The figures as a page, with what they were measured on."""
    rows = "\n".join(f"| {' | '.join(_cells(figure))} |" for figure in figures)
    today = datetime.now(UTC).date()
    speeds = f"medians of {repeats} loads each" if repeats > 1 else "one load each"
    return PAGE.format(today=today, machine=machine(), objects=objects, speeds=speeds, rows=rows)


def as_svg(loads: Sequence[Memory]) -> str:
    """Resident memory over each load's time, all loads drawn equally wide."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
        f'font-size="12"><rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>'
    ]
    for mib in range(0, _LIMIT_MIB + 1, 100):
        colour = "#c22" if mib == _LIMIT_MIB else "#ddd"
        y = _y(mib)
        parts.append(f'<line x1="{_LEFT}" x2="{_WIDTH - 20}" y1="{y:.1f}" y2="{y:.1f}" stroke="{colour}"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{mib}</text>')
    for index, (load, colour) in enumerate(zip(loads, _COLOURS, strict=True)):
        thinned = load.samples[:: max(1, len(load.samples) // _MOST_POINTS)]
        width = (_WIDTH - 20 - _LEFT) / max(1, len(thinned) - 1)
        points = " ".join(f"{_LEFT + number * width:.1f},{_y(mib):.1f}" for number, mib in enumerate(thinned))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        label = escape(f"{load.name}: {load.rows:,} events, at most {max(load.samples):,.0f} MiB")
        parts.append(
            f'<text x="{_LEFT + 10}" y="{_y(_LIMIT_MIB) + 20 + 16 * index:.1f}" fill="{colour}">{label}</text>'
        )
    parts.append(f'<text x="{_LEFT}" y="{_HEIGHT - 8}">MiB resident, from a load\'s beginning to its end</text></svg>')
    return "\n".join(parts) + "\n"


def _y(mib: float) -> float:
    return _HEIGHT - 30 - (_HEIGHT - 30 - _TOP) * mib / _MOST_MIB


def _cells(figure: Figure) -> tuple[str, ...]:
    bound = "at least" if figure.at_least else "at most"
    return (
        figure.name,
        f"{figure.value:,.2f} {figure.unit}",
        f"{bound} {figure.limit:g}",
        "yes" if figure.holds else "no",
        figure.detail,
    )
