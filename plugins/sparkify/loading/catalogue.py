"""Which files of a catalogue without dates have to be copied, by what was copied before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sparkify.loading.source import SourceFile


@dataclass(frozen=True)
class CataloguePlan:
    """``copy``: the files to copy; ``replace``: whether they take the place of all rows there are."""

    copy: Sequence[SourceFile]
    replace: bool
    why: str

    @classmethod
    def of(cls, listed: Sequence[SourceFile], known: Mapping[str, str]) -> CataloguePlan:
        """Compare the files listed now with the ETag of each key copied before.

        New files are copied alone. A file that changed or vanished has rows that cannot be told from others', so
        that the whole catalogue is copied again.
        """
        now = {file.key: file.etag for file in listed}
        new = [file for file in listed if file.key not in known]
        gone = sum(key not in now for key in known)
        changed = sum(key in now and now[key] != etag for key, etag in known.items())
        if gone or changed:
            return cls(listed, True, f"{changed} file(s) changed, {gone} vanished, {len(new)} new: all are copied")
        return cls(new, False, f"{len(new)} new file(s) of {len(listed)}")
