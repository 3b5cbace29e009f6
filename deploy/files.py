"""Files of the project, and zip files of them that are the same bytes each time."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

# The oldest that a zip file can tell, so that the same files make the same bytes.
_EPOCH = (1980, 1, 1, 0, 0, 0)
_READABLE = 0o100644 << 16
_UNIX = 3


def files(room: Path) -> Iterator[Path]:
    """The files below a folder that somebody wrote, in an order that is always the same."""
    for path in sorted(room.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and path.name != ".DS_Store":
            yield path


def write_zip(content: Mapping[str, bytes], target: Path) -> None:
    """Write a zip file of this content, by path."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in content.items():
            entry = zipfile.ZipInfo(path, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = _UNIX
            entry.external_attr = _READABLE
            archive.writestr(entry, data)
