"""Serves errors in words, the style sheet, the script and the icons."""

from __future__ import annotations

import os
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from sparkify.ui.rendering import STATIC, page, static_version

# What Airflow says of a session that is forged, cut or revoked. It does so with the status of one who may not.
NO_SESSION = "Invalid JWT token"
WRONG_ADDRESS = "The address holds something that is no date or number, or is too long."
#: More of a text that somebody sent is not shown again.
LONGEST_ECHO = 250
# A year; the page asks for a file by its version.
FOR_GOOD, ASK_AGAIN = "public, max-age=31536000, immutable", "no-cache"


async def in_words(request: Request, error: Exception) -> Response:
    """What went wrong, as a page: its reader may sit before a frame of Airflow's."""
    if isinstance(error, RequestValidationError):
        return page(request, "error.html", 422, detail=WRONG_ADDRESS, code=422)
    assert isinstance(error, HTTPException)
    code, detail = error.status_code, str(error.detail)
    sent = dict(error.headers or {})
    if code == 403 and detail == NO_SESSION:
        code = 401
    if code == 401:
        # RFC 9110 asks for it; Airflow takes a token so, and a cookie besides.
        sent.setdefault("WWW-Authenticate", "Bearer")
    answer = page(request, "error.html", code, detail=_in_own_words(code, detail), code=code)
    answer.headers.update(sent)
    return answer


def echo(text: str) -> str:
    """As much of a text that somebody sent as is shown again."""
    return text if len(text) <= LONGEST_ECHO else f"{text[:LONGEST_ECHO]}…"


class Static(StaticFiles):
    """The files of the page's own, each taken for what it is, and kept by browsers as long as it is of its version."""

    def __init__(self) -> None:
        super().__init__(directory=STATIC)

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Any, status_code: int = 200
    ) -> Response:
        """One file, or that it has not changed."""
        answer = super().file_response(full_path, stat_result, scope, status_code)
        of_version = scope.get("query_string", b"") == f"v={static_version()}".encode()
        answer.headers["Cache-Control"] = FOR_GOOD if of_version else ASK_AGAIN
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer


def _in_own_words(code: int, detail: str) -> str:
    if detail == "Not Found":
        return "The page has no such address."
    if code == 405:
        return "The page is only read: it answers GET and HEAD."
    return detail
