"""The unprivileged account that PostgreSQL runs as when we are root, because it refuses to run as root."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.errors import LocalStackError

# Existing accounts that own no files; none is ever added. initdb needs the account to have a passwd entry.
_CANDIDATES = ("nobody", "postgres", "daemon")
_TRY = 'cd "$1" && exec "$2" --version'


@dataclass(frozen=True)
class Account:
    """A user of this machine. `switch` says whether we must become it, or are it already."""

    name: str
    uid: int
    gid: int
    switch: bool

    @classmethod
    def for_postgres(cls) -> Account:
        """Return the account PostgreSQL may run as: our own, or as root an existing unprivileged one."""
        if os.geteuid() != 0:
            try:
                name = pwd.getpwuid(os.geteuid()).pw_name
            except KeyError:
                raise LocalStackError(
                    f"PostgreSQL cannot run as user {os.geteuid()}, because that user has no entry in "
                    "/etc/passwd. Add one, or set SPARKIFY_POSTGRES_DSN to a PostgreSQL of yours."
                ) from None
            return cls(name, os.geteuid(), os.getegid(), switch=False)
        for name in _CANDIDATES:
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            if entry.pw_uid != 0:
                return cls(name, entry.pw_uid, entry.pw_gid, switch=True)
        raise LocalStackError(
            f"PostgreSQL refuses to run as root, and none of the accounts {', '.join(_CANDIDATES)} exists. "
            "Run this as an ordinary user, or set SPARKIFY_POSTGRES_DSN to a PostgreSQL of yours."
        )

    def popen_arguments(self) -> dict[str, Any]:
        """Return the keyword arguments that make subprocess run a program as this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.switch else {}

    def become(self) -> None:
        """Turn this process into the account's, for good."""
        if self.switch:
            os.setgroups([])
            os.setgid(self.gid)
            os.setuid(self.uid)

    def own(self, path: Path) -> None:
        """Give `path` to the account."""
        if self.switch:
            os.chown(path, self.uid, self.gid)

    def run(self, command: Sequence[str], env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Run a program as this account in `/`, which every account can enter, and return what it said."""
        return subprocess.run(
            command, env=env, cwd="/", text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            check=False, **self.popen_arguments(),
        )  # fmt: skip

    def can_use(self, folder: Path, program: Path) -> bool:
        """Really try, as the account, to enter `folder` and to run `program` from there."""
        tried = self.run(
            ["/bin/sh", "-c", _TRY, "sh", str(folder), str(program)],
            env={"PATH": "/usr/bin:/bin"},
        )
        return tried.returncode == 0
