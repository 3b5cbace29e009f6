"""A vulnerable package fails the build unless it is accepted by name; a database that cannot be asked is no pass."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.local.redshift.conftest import free_port
from tests.pipeline import PROJECT

pytestmark = pytest.mark.security

Serve = Callable[..., str]
LOCK = "".join(f"{name}==1.0 \\\n    --hash=sha256:{'0' * 64}\n" for name in ("sound", "open-door", "no-fix"))


def vulnerability(name: str, *fixes: str) -> dict[str, Any]:
    """An advisory as OSV gives it."""
    events = [{"introduced": "0"}, *({"fixed": fix} for fix in fixes)]
    affected = {"package": {"name": name, "ecosystem": "PyPI"}, "ranges": [{"type": "ECOSYSTEM", "events": events}]}
    return {"id": f"PYSEC-{name}", "aliases": [], "summary": "", "published": "2026-01-01T00:00:00Z",
            "affected": [affected]}  # fmt: skip


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Run a database that answers with these vulnerabilities by package, or with a status; gives its address."""
    servers: list[ThreadingHTTPServer] = []

    def start(known: dict[str, list[dict[str, Any]]], refused: tuple[str, ...] = ()) -> str:
        class Database(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["package"]["name"]
                answer = json.dumps({"vulns": known[asked]} if known.get(asked) else {}).encode()
                self.send_response(404 if asked in refused else 200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *arguments: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Database)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/query"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def audit(tmp_path: Path, address: str, *more: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "lock.txt").write_text(LOCK)
    command = [sys.executable, "-m", "local.audit", str(tmp_path / "lock.txt"), "--osv-url", address, *more]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)


def test_no_known_vulnerability_passes(tmp_path: Path, serve: Serve) -> None:
    done = audit(tmp_path, serve({}))
    assert done.returncode == 0, done.stderr
    assert "No known vulnerabilities found" in done.stderr


@pytest.mark.parametrize("more", [(), ("--unreachable-passes",)])
def test_a_vulnerability_fails_and_names_its_fix(tmp_path: Path, serve: Serve, more: tuple[str, ...]) -> None:
    done = audit(tmp_path, serve({"open-door": [vulnerability("open-door", "1.1")]}), *more)
    assert done.returncode == 1
    assert re.search(r"open-door +1\.0 +PYSEC-open-door +1\.1", done.stdout)


def test_one_without_a_fix_fails_until_it_is_accepted_by_name(tmp_path: Path, serve: Serve) -> None:
    address = serve({"no-fix": [vulnerability("no-fix")]})
    assert audit(tmp_path, address).returncode == 1
    accepted = audit(tmp_path, address, "--ignore-vuln", "PYSEC-no-fix")
    assert accepted.returncode == 0, accepted.stderr
    assert "1 ignored" in accepted.stderr
    assert audit(tmp_path, address, "--ignore-vuln", "PYSEC-another").returncode == 1


@pytest.mark.parametrize(("more", "code"), [((), 3), (("--unreachable-passes",), 0)])
def test_a_database_that_is_not_there_is_named_and_is_no_pass(
    tmp_path: Path, serve: Serve, more: tuple[str, ...], code: int
) -> None:
    for address in (f"http://127.0.0.1:{free_port()}/query", serve({}, refused=("sound", "open-door", "no-fix"))):
        done = audit(tmp_path, address, *more)
        assert done.returncode == code
        assert done.stderr.startswith("NOT AUDITED. No database of known vulnerabilities can be reached")
        assert address in done.stderr


def test_a_package_that_the_database_does_not_look_up_is_no_pass(tmp_path: Path, serve: Serve) -> None:
    assert audit(tmp_path, serve({}, refused=("open-door",)), "--unreachable-passes").returncode == 1


def test_every_package_of_the_lock_is_asked_about(tmp_path: Path, serve: Serve) -> None:
    names = ("sound", "open-door", "no-fix")
    done = audit(tmp_path, serve({name: [vulnerability(name, "2")] for name in names}))
    assert all(f"PYSEC-{name}" in done.stdout for name in names)


def test_every_lock_of_the_project_is_audited(serve: Serve) -> None:
    command = [sys.executable, "-m", "local.audit", "--osv-url", serve({})]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for lock in PROJECT.glob("requirements*.txt"):
        assert lock.name in done.stdout
