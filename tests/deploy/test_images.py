"""Images are pinned by the digest that a registry gives, in all files or in none."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from deploy.__main__ import pinned
from deploy.images import FILES, NAMED, digest, pin
from tests.local.redshift.conftest import free_port
from tests.pipeline import PROJECT

DIGESTS = {
    "library/postgres/manifests/18": f"sha256:{1:064x}",
    "valkey/valkey/manifests/9.1": f"sha256:{2:064x}",
    "apache/airflow/manifests/3.3.2-python3.12": f"sha256:{3:064x}",
}


@pytest.fixture(scope="module")
def registry() -> Iterator[str]:
    """A registry that gives a manifest to a client with a token for it, as Docker Hub does; its address."""

    class Registry(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            image = self.path.removeprefix("/v2/")
            repository = image.partition("/manifests/")[0]
            if self.headers["Authorization"] != f"Bearer for-repository:{repository}:pull":
                self.send_response(401)
                realm = f"http://127.0.0.1:{server.server_port}/token"
                scope = f'service="registry",scope="repository:{repository}:pull"'
                self.send_header("WWW-Authenticate", f'Bearer realm="{realm}",{scope}')
            elif image in DIGESTS and "image.index" in self.headers["Accept"]:
                self.send_response(200)
                self.send_header("Docker-Content-Digest", DIGESTS[image])
            else:
                self.send_response(404)
            self.end_headers()

        def do_GET(self) -> None:
            token = json.dumps({"token": f"for-{parse_qs(urlsplit(self.path).query)['scope'][0]}"})
            self.send_response(200)
            self.end_headers()
            self.wfile.write(token.encode())

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the files that name images."""
    for name in FILES:
        shutil.copy(PROJECT / name, tmp_path)
    return tmp_path


def test_every_image_is_pinned_and_a_second_time_nothing_changes(project: Path, registry: str) -> None:
    before = {name: (project / name).read_text() for name in FILES}
    images = pin(project, lambda name, tag: digest(name, tag, registry))
    assert images == [
        f"apache/airflow:3.3.2-python3.12@sha256:{3:064x}",
        f"postgres:18@sha256:{1:064x}",
        f"valkey/valkey:9.1@sha256:{2:064x}",
    ]
    pinned_texts = {name: (project / name).read_text() for name in FILES}
    for name, text in pinned_texts.items():
        assert NAMED.sub(r"\1\2:\3", text) == NAMED.sub(r"\1\2:\3", before[name])
        assert text.count("@sha256:") == len(NAMED.findall(text)) > 0
    assert pin(project, lambda name, tag: digest(name, tag, registry)) == images
    assert {name: (project / name).read_text() for name in FILES} == pinned_texts


def test_where_an_image_is_not_found_no_file_changes(project: Path, registry: str) -> None:
    before = {name: (project / name).read_bytes() for name in FILES}
    wrong = (project / "Dockerfile").read_text().replace("python3.12", "python3.99")
    (project / "Dockerfile").write_text(wrong)
    with pytest.raises(OSError, match="404"):
        pin(project, lambda name, tag: digest(name, tag, registry))
    assert (project / "docker-compose.yaml").read_bytes() == before["docker-compose.yaml"]


def test_where_no_registry_answers_the_tags_stay_and_that_is_said(project: Path) -> None:
    before = {name: (project / name).read_bytes() for name in FILES}
    said = pinned(project, lambda name, tag: digest(name, tag, f"http://127.0.0.1:{free_port()}"))
    assert said.startswith("NOT PINNED. No registry of images can be reached (")
    assert {name: (project / name).read_bytes() for name in FILES} == before
