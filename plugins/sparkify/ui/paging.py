"""Splits a long list into pages."""

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
        before=_address(request, page=number - 1) if number > 1 else None,
        after=_address(request, page=number + 1) if start + most < total else None,
    )


def window_of(total: int, request: Request, older: int, most: int) -> Part[None]:
    """Which of so many runs are looked through, and where those before and after them are."""
    return Part(
        items=(),
        first=min(older + 1, total),
        last=min(older + most, total),
        total=total,
        before=_address(request, page=1, older=max(0, older - most)) if older else None,
        after=_address(request, page=1, older=older + most) if older + most < total else None,
    )


def _address(request: Request, **changed: int) -> str:
    return f"?{request.url.include_query_params(**changed).query}"
