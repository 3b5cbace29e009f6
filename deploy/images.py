"""Images by digest: what a tag names today, a registry may name otherwise tomorrow."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from http.client import HTTPMessage
from pathlib import Path

SECONDS = 20
DOCKER_HUB = "https://registry-1.docker.io"
# Where images are named; those that are built here have no registry.
FILES = ("docker-compose.yaml", "Dockerfile")
NAMED = re.compile(
    r"^((?:FROM|\s+image:) )(?!sparkify-)([a-z0-9./_-]+):([\w.-]+)(?:@sha256:[0-9a-f]{64})?(?=\s|$)", re.MULTILINE
)
# An index of several platforms, or the one manifest that there is.
KINDS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)


def digest(name: str, tag: str, registry: str = DOCKER_HUB) -> str:
    """Return the digest that Docker Hub has under this tag, such as ``sha256:…``.

    https://distribution.github.io/distribution/spec/api/#getting-a-manifest; :class:`OSError` if it does not answer.
    """
    repository = name if "/" in name else f"library/{name}"
    url = f"{registry}/v2/{repository}/manifests/{tag}"
    headers = {"Accept": ", ".join(KINDS)}
    try:
        answered = _head(url, headers)
    except urllib.error.HTTPError as error:
        if error.code != 401:
            raise
        answered = _head(url, headers | {"Authorization": f"Bearer {_token(error.headers['WWW-Authenticate'])}"})
    found = answered["Docker-Content-Digest"] or ""
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", found):
        raise OSError(f"{url} names no digest")
    return found


def pin(project: Path, digest_of: Callable[[str, str], str] = digest) -> list[str]:
    """Write the digest behind each tag, in all files or, if a registry does not answer, in none; return the images."""
    texts = {name: (project / name).read_text() for name in FILES}
    found = {(name, tag) for text in texts.values() for _, name, tag in NAMED.findall(text)}
    digests = {(name, tag): digest_of(name, tag) for name, tag in sorted(found)}
    for file, text in texts.items():
        pinned = NAMED.sub(lambda named: f"{named[1]}{named[2]}:{named[3]}@{digests[named[2], named[3]]}", text)
        (project / file).write_text(pinned)
    return [f"{name}:{tag}@{digest}" for (name, tag), digest in digests.items()]


def _head(url: str, headers: dict[str, str]) -> HTTPMessage:
    request = urllib.request.Request(url, headers=headers, method="HEAD")  # noqa: S310
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
        return answer.headers  # type: ignore[no-any-return]


def _token(challenge: str) -> str:
    """Return the token that anybody gets who asks for it as the registry says."""
    asked = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    url = f"{asked.pop('realm')}?{urllib.parse.urlencode(asked)}"
    with urllib.request.urlopen(url, timeout=SECONDS) as answer:  # noqa: S310
        return str(json.load(answer)["token"])
