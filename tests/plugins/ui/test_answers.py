"""What the page answers besides its pages: methods, redirects, sessions that are none, and its own files."""

from __future__ import annotations

import re
from typing import Any

import pytest
from airflow.api_fastapi.core_api.security import get_user
from fastapi import HTTPException
from fastapi.testclient import TestClient

from sparkify.ui.answers import NO_SESSION
from sparkify.ui.app import make_app
from tests.plugins.ui.metadata import Made, Metadata
from tests.plugins.ui.test_app import FIRST, PAGES

LONG = "x" * 60_000


@pytest.mark.parametrize("address", PAGES)
def test_head_is_get_without_the_page(client: TestClient, metadata: Metadata, address: str) -> None:
    metadata.add(Made(FIRST))
    got, headed = client.get(address), client.head(address)
    assert (got.status_code, headed.status_code, headed.content) == (200, 200, b"")
    assert headed.headers == got.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_another_method_is_told_which_there_are(client: TestClient, method: str) -> None:
    answer = client.request(method, "/checks")
    assert answer.status_code == 405
    assert set(re.split(", *", answer.headers["allow"])) == {"GET", "HEAD"}
    assert "it answers GET and HEAD" in answer.text


@pytest.mark.parametrize("address", ["/checks/", "/loads/", "/dates/2018-11-01/", "/report/", "/run/"])
def test_nothing_leads_to_the_host_that_a_request_names(client: TestClient, address: str) -> None:
    answer = client.get(address, headers={"Host": "evil.example"}, follow_redirects=False)
    assert answer.status_code == 404
    assert "evil.example" not in answer.text + str(answer.headers)


@pytest.mark.parametrize(
    ("refused", "status", "words"),
    [
        (HTTPException(401, "Not authenticated"), 401, "You are not signed in"),
        (HTTPException(401, "Token Expired"), 401, "You are not signed in"),
        (HTTPException(403, NO_SESSION), 401, "it is not valid any more"),
        (HTTPException(403, "Forbidden"), 403, "your account may not read"),
    ],
)
def test_a_session_that_is_none_is_told_from_an_account_that_may_not(
    refused: HTTPException, status: int, words: str
) -> None:
    def refuse() -> None:
        raise refused

    app = make_app()
    app.dependency_overrides[get_user] = refuse
    answer = TestClient(app).get("/")
    assert (answer.status_code, answer.headers.get("www-authenticate")) == (status, {401: "Bearer"}.get(status))
    assert words in answer.text


@pytest.mark.parametrize(
    ("address", "status"),
    [
        (f"/run?run_id={LONG}", 404),
        (f"/run?run_id=x&dag_id={LONG}", 200),
        (f"/?dag_id={LONG}", 200),
        (f"/loads?on={LONG}", 422),
        (f"/loads?table={LONG}", 422),
        (f"/checks?text={LONG}", 422),
        (f"/checks?check={LONG}", 422),
        (f"/dates/{LONG}", 422),
    ],
)
def test_a_long_text_is_not_sent_back_whole(client: TestClient, address: str, status: int) -> None:
    answer = client.get(address)
    assert answer.status_code == status
    assert len(answer.content) < 5_000


@pytest.mark.parametrize("name", ["page.css", "page.js", "icon-light.svg", "icon-dark.svg"])
def test_a_file_of_the_pages_own_is_kept_by_its_version_and_taken_for_what_it_is(client: TestClient, name: str) -> None:
    (version,) = set(re.findall(r"\?v=(\w+)", client.get("/").text))
    for query, kept in ((f"?v={version}", "max-age=31536000"), ("", "no-cache"), ("?v=another", "no-cache")):
        answer: Any = client.get(f"/static/{name}{query}")
        assert answer.status_code == 200
        assert kept in answer.headers["cache-control"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    again = client.get(f"/static/{name}", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
