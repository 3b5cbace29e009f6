"""docker-compose.yaml as Compose reads it: anchors merged, variables filled in, short forms spelled out.

Compose itself is no package that a test could install. `make lint` compares the file with the schema of the Compose
Specification. How it fills in variables: https://github.com/compose-spec/compose-spec/blob/main/12-interpolation.md
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

VARIABLE = re.compile(r"\$(?:(\$)|\{(\w+)(?:(:[-?+])([^{}]*))?\})")


class MissingVariableError(ValueError):
    """A variable without a value, in the words of the file."""


def read(project: Path, variables: Mapping[str, str], profile: str = "") -> dict[str, Any]:
    """The file with these variables: the services that start with a profile, all networks, volumes and configs."""
    text = (project / "docker-compose.yaml").read_text()
    found: dict[str, Any] = _filled_in(yaml.safe_load(text), variables)
    found["services"] = {
        name: _spelled_out(service, project)
        for name, service in found["services"].items()
        if profile in service.get("profiles", [profile])
    }
    return found


def _filled_in(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled_in(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled_in(item, variables) for item in value]
    if not isinstance(value, str):
        return value
    if unread := re.search(r"\$(?!\$|\{\w+(?::[-?+][^{}]*)?\})", value.replace("$$", "")):
        raise ValueError(f"{value[unread.start() :][:40]!r} is in no form of a variable that is read here")
    return VARIABLE.sub(lambda match: _value(match, variables), value)


def _value(match: re.Match[str], variables: Mapping[str, str]) -> str:
    escaped, name, form, word = match.groups()
    if escaped:
        return "$"
    given = variables.get(name, "")
    if form == ":+":
        return word if given else ""
    if form == ":-":
        return given or str(word)
    if not given:
        raise MissingVariableError(f"{name} is missing: {word}" if form else f"{name} is not set")
    return given


def _spelled_out(service: dict[str, Any], project: Path) -> dict[str, Any]:
    found = dict(service)
    if isinstance(found.get("command"), str):
        found["command"] = shlex.split(found["command"])
    found["volumes"] = [_volume(volume, project) for volume in found.get("volumes", [])]
    found["ports"] = [_port(*port.split(":")) for port in found.get("ports", [])]
    return found


def _port(host_ip: str, published: str, target: str) -> dict[str, Any]:
    return {"host_ip": host_ip, "published": published, "target": int(target)}


def _volume(volume: str, project: Path) -> dict[str, Any]:
    source, target, *mode = volume.split(":")
    is_bind = source.startswith(".")
    return {
        "type": "bind" if is_bind else "volume",
        "source": str((project / source).resolve()) if is_bind else source,
        "target": target,
        "read_only": mode == ["ro"],
    }
