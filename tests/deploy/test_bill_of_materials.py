"""The bill of materials of the image is valid CycloneDX, and names exactly what the Dockerfile installs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from deploy.bill_of_materials import LOCKS, write_bill
from deploy.wheel import read_project
from tests.pipeline import PROJECT

pytestmark = pytest.mark.deployment


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The file that `make sbom` writes."""
    return write_bill(PROJECT, tmp_path_factory.mktemp("dist")).read_text()


@pytest.fixture(scope="module")
def bill(text: str) -> Any:
    """What it says."""
    return json.loads(text)


def test_it_is_valid(text: str) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


def test_it_is_of_the_image_and_of_the_one_that_is_under_it(bill: Any) -> None:
    assert bill["metadata"]["component"]["version"] == read_project(PROJECT)["version"]
    (base,) = (one for one in bill["components"] if one["type"] == "container")
    assert f"FROM {base['bom-ref']} AS airflow\n" in (PROJECT / "Dockerfile").read_text()


def test_it_names_what_uv_would_install_in_the_image(bill: Any, tmp_path: Path) -> None:
    dockerfile = (PROJECT / "Dockerfile").read_text()
    assert re.search(r"uv pip sync .*", dockerfile)[0].endswith(" ".join(LOCKS))  # type: ignore[index]
    resolved = subprocess.run(
        [Path(sys.executable).with_name("uv"), "pip", "compile", "--quiet", "--no-deps", "--no-annotate", "--no-header",
         "--python-platform", "x86_64-unknown-linux-gnu", "--python-version", "3.12", *LOCKS],
        cwd=PROJECT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert resolved.returncode == 0, resolved.stderr
    pins = {line.split(" ")[0] for line in resolved.stdout.splitlines() if "==" in line}
    libraries = [one for one in bill["components"] if one["type"] == "library"]
    assert {f"{one['name']}=={one['version']}" for one in libraries} == pins
    assert all(one["hashes"] for one in libraries)


def test_every_package_is_required_by_another_or_by_the_project(bill: Any) -> None:
    below = {purl for one in bill["dependencies"] for purl in one["dependsOn"]}
    assert below == {one["bom-ref"] for one in bill["components"]}


def test_the_same_locks_make_the_same_bytes(text: str, tmp_path: Path) -> None:
    assert write_bill(PROJECT, tmp_path).read_text() == text
