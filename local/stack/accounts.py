"""The account that PostgreSQL runs as, because it refuses to run as root.

As root, every home has an account of its own: a number that nothing else runs as, with no name and no log-in. Who runs
as the account of a database owns the database. `nobody` and `postgres` are what other programs run as too.
"""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import secrets
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil

from local.errors import LocalStackError

VARIABLE = "SPARKIFY_POSTGRES_ACCOUNT"
# Numbers that neither distributions nor systemd nor tools for containers give out (https://systemd.io/UIDS-GIDS/). The
# second range is for containers that have 65,536 numbers in all.
_UNUSED = (range(1_879_048_192, 2_147_352_576), range(60_706, 61_184))
_TRIES = 200
_TRY = 'cd "$1" && exec "$2" --version'


@dataclass(frozen=True)
class Account:
    """A user of this machine. `switch` says whether we must become it, or are it already."""

    name: str
    uid: int
    gid: int
    switch: bool

    @classmethod
    def for_new_cluster(cls) -> Account:
        """Return the account of a new cluster: our own; as root a number of its own, or what the variable names."""
        if os.geteuid() != 0:
            entry = _entry(os.geteuid())
            if entry is None:
                raise LocalStackError(
                    f"PostgreSQL cannot run as user {os.geteuid()}, because that user has no entry in "
                    "/etc/passwd. Add one, or set SPARKIFY_POSTGRES_DSN to a PostgreSQL of yours."
                )
            return cls(entry.pw_name, os.geteuid(), os.getegid(), switch=False)
        name = os.environ.get(VARIABLE)
        if not name:
            number = _unused_number()
            return cls(str(number), number, number, switch=True)
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            raise LocalStackError(f"{VARIABLE} names {name}, and there is no such account here.") from None
        if entry.pw_uid == 0:
            raise LocalStackError(f"{VARIABLE} names {name}, which is root, and PostgreSQL refuses to run as root.")
        return cls(name, entry.pw_uid, entry.pw_gid, switch=True)

    @classmethod
    def of_cluster(cls, data: Path) -> Account:
        """Return the account that the cluster in `data` belongs to."""
        owner = data.stat()
        entry = _entry(owner.st_uid)
        name = entry.pw_name if entry else str(owner.st_uid)
        return cls(name, owner.st_uid, owner.st_gid, switch=os.geteuid() == 0)

    @property
    def is_shared(self) -> bool:
        """Whether other programs may run as it too: it has a name, and is not ours."""
        return self.switch and _entry(self.uid) is not None

    def with_a_name(self) -> Account:
        """Return an account that initdb accepts: it refuses one that is not in /etc/passwd.

        Its group is this account's, which nothing else has: what only the group may enter is closed to all others that
        run as the same user, and so is the process (ptrace(2) asks for the same group too).
        """
        if _entry(self.uid) is not None:
            return self
        for entry in sorted(pwd.getpwall(), key=lambda entry: entry.pw_name != "nobody"):
            if entry.pw_uid != 0:
                return replace(self, name=entry.pw_name, uid=entry.pw_uid)
        raise LocalStackError(
            "PostgreSQL refuses to run as root, and /etc/passwd has no other account. Add one, and name it in "
            f"{VARIABLE}."
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
        """Give `path` to the account, with all that is in it."""
        if not self.switch:
            return
        os.lchown(path, self.uid, self.gid)
        for folder, folders, files in os.walk(path):
            for name in (*folders, *files):
                os.lchown(Path(folder) / name, self.uid, self.gid)

    def run(self, command: Sequence[str], env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Run a program as this account in `/`, which every account can enter, and return what it said."""
        try:
            return subprocess.run(
                command, env=env, cwd="/", text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                check=False, **self.popen_arguments(),
            )  # fmt: skip
        except PermissionError as error:
            raise LocalStackError(
                f"PostgreSQL refuses to run as root, and root may not become the account {self.name} here ({error}). "
                f"Name another in {VARIABLE}, or set SPARKIFY_POSTGRES_DSN to a PostgreSQL of yours."
            ) from error

    def can_use(self, folder: Path, program: Path) -> bool:
        """Really try, as the account, to enter `folder` and to run `program` from there."""
        tried = self.run(
            ["/bin/sh", "-c", _TRY, "sh", str(folder), str(program)],
            env={"PATH": "/usr/bin:/bin"},
        )
        return tried.returncode == 0


def _entry(uid: int) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        return None


def _unused_number() -> int:
    """Return a number that is no user's and no group's, as which nothing runs."""
    running = {process.info["uids"].real for process in psutil.process_iter(["uids"]) if process.info["uids"]}
    for numbers in _UNUSED:
        for _ in range(_TRIES):
            number = secrets.choice(numbers)
            if number not in running and _entry(number) is None and not _is_group(number) and _is_mapped(number):
                return number
    raise LocalStackError(
        "PostgreSQL refuses to run as root, and no account was found that nothing else runs as. Add one and name it "
        f"in {VARIABLE}, run this as an ordinary user, or set SPARKIFY_POSTGRES_DSN to a PostgreSQL of yours."
    )


def _is_group(number: int) -> bool:
    with contextlib.suppress(KeyError):
        grp.getgrgid(number)
        return True
    return False


def _is_mapped(number: int) -> bool:
    """Whether a process may become this user and this group: a container may have few (user_namespaces(7))."""
    for file in ("/proc/self/uid_map", "/proc/self/gid_map"):
        with contextlib.suppress(OSError):
            ranges = [[int(word) for word in line.split()] for line in Path(file).read_text().splitlines()]
            if not any(first <= number < first + length for first, _, length in ranges):
                return False
    return True
