"""Shows progress: live lines in a terminal, plain lines in a file."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from sparkify.loading.shown import shown

_errors = Console(stderr=True, highlight=False, soft_wrap=True)


def tell(message: str) -> None:
    """Say a sentence beside the command's result."""
    _errors.print(shown(message, keep="\n"), markup=False)


@contextlib.contextmanager
def bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar; call what is given with how many of how many are done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_errors, disable=not _errors.is_terminal) as progress:
        task = progress.add_task(what, total=None)

        def advance(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        yield advance


@contextlib.contextmanager
def board() -> Iterator[Callable[[str, str], None]]:
    """Show what each of several things is doing; call what is given with its name and that."""
    if not _errors.is_terminal:
        # One write a line: several threads tell at once.
        def write(name: str, message: str) -> None:
            sys.stderr.write(f"{name}: {shown(message)}\n")

        yield write
        return
    lines: dict[str, str] = {}

    def table() -> Table:
        grid = Table.grid(padding=(0, 2))
        for name, message in lines.items():
            grid.add_row(name, shown(message))
        return grid

    with Live(console=_errors, get_renderable=table, refresh_per_second=8):
        yield lines.__setitem__
