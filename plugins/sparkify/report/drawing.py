"""Charts to SVG, in a process of its own: the renderer ends its process on what it cannot take.

https://github.com/vega/vl-convert/issues/220
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SECONDS = 120.0
MOST_WORDS = 300


@dataclass(frozen=True)
class Drawing:
    """The SVG of a chart; where there is none, ``problem`` says why."""

    svg: str | None = None
    problem: str = ""


def draw(charts: Sequence[Mapping[str, Any]]) -> list[Drawing]:
    """Draws charts, each as Vega-Lite describes it. One that cannot be drawn stops none of the others."""
    drawn: list[Drawing] = []
    while len(drawn) < len(charts):
        drawn += _in_one_process(charts[len(drawn) :])
    return drawn


def _in_one_process(charts: Sequence[Mapping[str, Any]]) -> list[Drawing]:
    """The charts up to the end, or up to the one that ended the process."""
    given = "".join(f"{json.dumps(chart)}\n" for chart in charts).encode()
    try:
        # By its path and without the folder on the search path: nothing of Airflow is imported again.
        ended = subprocess.run([sys.executable, "-P", __file__], input=given, capture_output=True, timeout=SECONDS)
        output = ended.stdout
        words = ended.stderr.decode("utf-8", "replace").strip()[-MOST_WORDS:]
        problem = f"the renderer ended with {ended.returncode}: {words}"
    except subprocess.TimeoutExpired as late:
        output = late.stdout or b""
        problem = f"the renderer took more than {SECONDS:g} seconds"
    # A line without its end is of a drawing that was cut off.
    drawn = [Drawing(**json.loads(line)) for line in output.split(b"\n")[:-1]]
    return drawn if len(drawn) == len(charts) else [*drawn, Drawing(problem=problem)]


def _serve() -> None:
    """Draws each line of the standard input to a line of the standard output."""
    import vl_convert

    for line in sys.stdin:
        try:
            drawn = {"svg": vl_convert.vegalite_to_svg(json.loads(line))}
        except Exception as error:
            drawn = {"problem": f"{type(error).__name__}: {error}"[:MOST_WORDS]}
        print(json.dumps(drawn), flush=True)


if __name__ == "__main__":
    _serve()
