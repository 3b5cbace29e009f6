"""A long list, some of it a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from fastapi import Request

Item = TypeVar("Item")


@dataclass(frozen=True)
class Part(Generic[Item]):
    """``items`` are those from ``first`` to ``last`` of ``total``; the addresses are None where there is no more."""

    items: Sequence[Item]
    first: int
    last: int
    total: int
    before: str | None
    after: str | None


def part_of(items: Iterable[Any], request: Request, number: int, most: int) -> Part[Any]:
    """The items of the page with this number (from 1), and where the pages beside it are; the others are not kept."""
    start, total, shown = (number - 1) * most, 0, []
    for item in items:
        if start <= total < start + most:
            shown.append(item)
        total += 1
    return Part(
        items=shown,
        first=start + 1 if shown else 0,
        last=start + len(shown),
        total=total,
        before=_address(request, number - 1) if number > 1 else None,
        after=_address(request, number + 1) if start + most < total else None,
    )


def _address(request: Request, number: int) -> str:
    return f"?{request.url.include_query_params(page=number).query}"
