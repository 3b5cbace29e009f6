"""The home of a local stack: one folder with everything it keeps, and the small file of what was chosen for it."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from local.errors import LocalStackError

PROJECT = Path(__file__).resolve().parents[2]
LOCK_SECONDS = 300.0
_PRIVATE = 0o700
_PRIVATE_FILE = 0o600
_PASSABLE = 0o710


class Home:
    """Paths below `folder`, and the ports and secrets chosen for it, which `state.json` keeps (mode 0600).

    Two homes never share anything, so two stacks run side by side.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.expanduser().resolve()
        self._state: dict[str, Any] | None = None
        # Programs are started by several threads at once.
        self._writing = threading.RLock()

    @classmethod
    def find(cls) -> Home:
        """Return the home that `$SPARKIFY_HOME` names, by default `.local` in the project."""
        return cls(Path(os.environ.get("SPARKIFY_HOME") or PROJECT / ".local"))

    @property
    def exists(self) -> bool:
        """Whether a stack was ever brought up here."""
        return self._state_file.exists()

    @property
    def postgres(self) -> Path:
        """PostgreSQL's folder."""
        return self.folder / "postgres"

    @property
    def s3(self) -> Path:
        """The buckets' folder."""
        return self.folder / "s3"

    @property
    def airflow(self) -> Path:
        """`AIRFLOW_HOME`."""
        return self.folder / "airflow"

    @property
    def logs(self) -> Path:
        """What the programs say, a file each."""
        return self.folder / "log"

    @property
    def run(self) -> Path:
        """The programs' working directories, by which what is left of a killed stack is found."""
        return self.folder / "run"

    @property
    def _state_file(self) -> Path:
        return self.folder / "state.json"

    @property
    def dags(self) -> Path:
        """The DAGs that Airflow runs: the project's, unless a test noted others."""
        return Path(self.mark("dags") or PROJECT / "dags")

    def log(self, program: str) -> Path:
        """Return the log file of a program."""
        return self.logs / f"{program}.log"

    def create(self) -> None:
        """Make the folders that are missing."""
        self._make_folder()
        for folder in (self.s3, self.airflow, self.logs, self.run):
            folder.mkdir(mode=_PRIVATE, exist_ok=True)
        if not self.exists:
            self._save({"id": secrets.token_hex(8), "ports": {}, "secrets": {}, "marks": {}})

    def let_through(self, group: int) -> None:
        """Let this group through, and no other: as root, PostgreSQL runs as another account and lives in here."""
        os.chown(self.folder, -1, group)
        self.folder.chmod(_PASSABLE)

    def _make_folder(self) -> None:
        self.folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        if os.geteuid() != 0:
            self.folder.chmod(_PRIVATE)

    @property
    def identity(self) -> str:
        """A name no other home has."""
        return str(self._load()["id"])

    def port(self, name: str) -> int:
        """Return the port chosen for `name`."""
        try:
            return int(self._load()["ports"][name])
        except KeyError:
            raise LocalStackError(
                f"No port was chosen for {name} in {self.folder}, because it was never started there. "
                "Start it with `python -m local up`."
            ) from None

    def chosen_port(self, name: str) -> int | None:
        """Return the port chosen for `name` earlier, if one was."""
        port = self._load()["ports"].get(name)
        return None if port is None else int(port)

    def choose_port(self, name: str, port: int) -> None:
        """Remember the port of `name`."""
        self._change("ports", name, port)

    def secret(self, name: str, make: Callable[[], str] = lambda: secrets.token_urlsafe(18)) -> str:
        """Return the secret called `name`, made the first time it is asked for."""
        with self._writing:
            known = self._load()["secrets"].get(name)
            if known is None:
                known = make()
                self._change("secrets", name, known)
            return str(known)

    def fernet_key(self) -> str:
        """Return the key Airflow encrypts connections with."""
        return self.secret("fernet_key", lambda: base64.urlsafe_b64encode(os.urandom(32)).decode())

    def mark(self, name: str) -> str | None:
        """Return what was noted under `name`."""
        value = self._load()["marks"].get(name)
        return None if value is None else str(value)

    def set_mark(self, name: str, value: str) -> None:
        """Note something for later."""
        self._change("marks", name, value)

    @contextlib.contextmanager
    def locked(self, tell: Callable[[str], None]) -> Iterator[None]:
        """Keep other commands that start or stop programs of this home away; wait for one that is at it."""
        self._make_folder()
        deadline = time.monotonic() + LOCK_SECONDS
        told = False
        descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, _PRIVATE_FILE)
        with os.fdopen(descriptor, "r+") as lock:
            # Anyone who may read it may hold it, and so keep every command of this home waiting.
            os.fchmod(descriptor, _PRIVATE_FILE)
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    pass
                if not told:
                    tell(f"Another command is starting or stopping {self.folder}; waiting for it.")
                    told = True
                if time.monotonic() > deadline:
                    raise LocalStackError(
                        f"Another command has been starting or stopping {self.folder} for {LOCK_SECONDS:.0f} "
                        "seconds. Wait for it, or stop it and try again."
                    )
                time.sleep(0.1)
            self._state = None
            yield

    def _load(self) -> dict[str, Any]:
        if self._state is None:
            try:
                self._state = json.loads(self._state_file.read_bytes())
            except FileNotFoundError:
                raise LocalStackError(
                    f"There is no local stack in {self.folder}. Start one with `python -m local up`, or set "
                    "SPARKIFY_HOME to the folder of the one you mean."
                ) from None
        return self._state

    def _change(self, part: str, name: str, value: Any) -> None:
        with self._writing:
            state = self._load()
            state[part][name] = value
            self._save(state)

    def _save(self, state: dict[str, Any]) -> None:
        unfinished = self._state_file.with_suffix(".unfinished")
        unfinished.unlink(missing_ok=True)
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(state, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._state_file)
        self._state = state
