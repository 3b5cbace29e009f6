"""The operators and the plugin as a wheel, for an Airflow that has no folder of plugins."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from deploy.files import files, write_zip

ENTRY_POINTS = "[airflow.plugins]\nsparkify = sparkify_plugin:SparkifyPlugin\n"
# https://packaging.python.org/en/latest/specifications/binary-distribution-format/
WHEEL = "Wheel-Version: 1.0\nGenerator: make dist\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def build_wheel(project: Path, dist: Path) -> Path:
    """Write the wheel into ``dist``, in place of older ones; return it."""
    declared = read_project(project)
    name = declared["name"].replace("-", "_")
    stem = f"{name}-{declared['version']}"
    info = f"{stem}.dist-info"
    content = {
        path.relative_to(project / "plugins").as_posix(): path.read_bytes() for path in files(project / "plugins")
    }
    content |= {
        f"{info}/METADATA": _metadata(declared, (project / declared["readme"]).read_text()).encode(),
        f"{info}/WHEEL": WHEEL.encode(),
        f"{info}/entry_points.txt": ENTRY_POINTS.encode(),
        f"{info}/licenses/LICENSE": (project / "LICENSE").read_bytes(),
    }
    record = f"{info}/RECORD"
    lines = [f"{path},sha256={_digest(data)},{len(data)}\n" for path, data in content.items()]
    content[record] = "".join([*lines, f"{record},,\n"]).encode()
    dist.mkdir(parents=True, exist_ok=True)
    for old in dist.glob(f"{name}-*.whl"):
        old.unlink()
    wheel = dist / f"{stem}-py3-none-any.whl"
    write_zip(content, wheel)
    return wheel


def read_project(project: Path) -> dict[str, Any]:
    """What pyproject.toml declares: the one place of the version."""
    # Python has it since 3.11, and `make env` runs on any.
    import tomllib

    declared: dict[str, Any] = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    return declared


def _metadata(declared: dict[str, Any], readme: str) -> str:
    """The core metadata: https://packaging.python.org/en/latest/specifications/core-metadata/."""
    fields = [
        ("Metadata-Version", "2.4"),
        ("Name", declared["name"]),
        ("Version", declared["version"]),
        ("Summary", declared["description"]),
        ("License-Expression", declared["license"]),
        ("License-File", "LICENSE"),
        ("Requires-Python", declared["requires-python"]),
        *(("Requires-Dist", one) for one in declared["dependencies"]),
        ("Description-Content-Type", "text/markdown"),
    ]
    return "".join(f"{name}: {value}\n" for name, value in fields) + f"\n{readme}"


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
