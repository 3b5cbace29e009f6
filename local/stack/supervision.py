"""supervisord as a home uses it: it keeps the programs, and does not restart them behind the user's back.

A program that dies is meant to be seen by `status` and brought back by `up`.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import psutil

from local.errors import LocalStackError
from local.stack import environment
from local.stack.home import PROJECT, Home
from local.stack.ports import LOOPBACK, PortReservations
from local.stack.programs import Program

PORT = "supervisor"
PREFERRED_PORT = 19001
_USER = "sparkify"
_STOP_SECONDS = 30.0
_GONE = {"EXITED", "FATAL", "BACKOFF", "UNKNOWN"}


@dataclass(frozen=True)
class Supervised:
    """What the supervisor knows of a program; `started` is epoch seconds."""

    name: str
    state: str
    pid: int
    started: float
    description: str

    @property
    def runs(self) -> bool:
        """Whether its process is there."""
        return self.state in {"RUNNING", "STARTING"}

    @property
    def died(self) -> bool:
        """Whether it ended without being told to."""
        return self.state in _GONE


class Supervisor:
    """The supervisord of one home."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._identifier = f"sparkify-{home.identity}"

    @property
    def pid(self) -> int | None:
        """Its process id, or None if it does not run."""
        if self._home.chosen_port(PORT) is None:
            return None
        try:
            if self._call("getIdentification") != self._identifier:
                return None
            return int(self._call("getPID"))
        except (OSError, xmlrpc.client.Error):
            return None

    def start(self, programs: Iterable[Program], reservations: PortReservations) -> None:
        """Start supervisord with all programs known and none running."""
        home = self._home
        home.choose_port(PORT, reservations.choose(home.chosen_port(PORT) or PREFERRED_PORT))
        folder = home.run / PORT
        folder.mkdir(exist_ok=True)
        config = folder / "supervisord.conf"
        with os.fdopen(os.open(config, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(self._config(programs))
        started = subprocess.run(
            [sys.executable, "-m", "supervisor.supervisord", "-c", str(config)],
            cwd=folder,
            env=environment.of_programs(os.environ) | {"PYTHONPATH": str(PROJECT), "SPARKIFY_HOME": str(home.folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        deadline = time.monotonic() + _STOP_SECONDS
        while self.pid is None:
            if started.returncode != 0 or time.monotonic() > deadline:
                raise LocalStackError(f"The supervisor did not start. It said:\n{started.stdout[-2000:]}")
            time.sleep(0.05)

    def programs(self) -> dict[str, Supervised]:
        """Return what is known of every program, by name."""
        infos: list[dict[str, Any]] = self._call("getAllProcessInfo")
        return {
            info["name"]: Supervised(
                info["name"],
                info["statename"],
                info["pid"],
                float(info["start"]),
                info["spawnerr"] or info["description"],
            )
            for info in infos
        }

    def start_program(self, name: str) -> None:
        """Start a program, without waiting for it."""
        self._call("startProcess", name, False)

    def stop_program(self, name: str) -> None:
        """Stop a program that runs, and return when it has."""
        try:
            self._call("stopProcess", name, True)
        except xmlrpc.client.Fault as fault:
            if "NOT_RUNNING" not in fault.faultString:
                raise

    def shut_down(self) -> None:
        """End supervisord and return when it is gone."""
        pid = self.pid
        if pid is None:
            return
        try:
            process = psutil.Process(pid)
            self._call("shutdown")
            process.wait(_STOP_SECONDS)
        except (psutil.NoSuchProcess, OSError, xmlrpc.client.Error):
            return
        except psutil.TimeoutExpired:
            process.kill()

    def family(self) -> set[int]:
        """Return the process ids of supervisord and of all that descend from it."""
        pid = self.pid
        if pid is None:
            return set()
        try:
            process = psutil.Process(pid)
            return {pid, *(child.pid for child in process.children(recursive=True))}
        except psutil.NoSuchProcess:
            return set()

    def _call(self, method: str, *arguments: Any) -> Any:
        address = f"{_USER}:{quote(self._home.secret(PORT))}@{LOOPBACK}:{self._home.port(PORT)}"
        # A proxy of its own for every call: one may not be shared by threads.
        with xmlrpc.client.ServerProxy(f"http://{address}/RPC2") as proxy:
            return getattr(proxy.supervisor, method)(*arguments)

    def _config(self, programs: Iterable[Program]) -> str:
        home = self._home
        folder = home.run / PORT
        sections = [
            {
                "": "inet_http_server",
                "port": f"{LOOPBACK}:{home.port(PORT)}",
                "username": _USER,
                "password": home.secret(PORT),
            },
            {
                "": "supervisord",
                "identifier": self._identifier,
                "logfile": str(home.log(PORT)),
                "logfile_maxbytes": "5MB",
                "logfile_backups": "1",
                "pidfile": str(folder / "supervisord.pid"),
                "childlogdir": str(home.logs),
                **({"user": "root"} if os.geteuid() == 0 else {}),
            },
            {
                "": "rpcinterface:supervisor",
                "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface",
            },
            *(self._program_section(program) for program in programs),
        ]
        lines: list[str] = []
        for section in sections:
            lines.append(f"[{section.pop('')}]")
            lines += [f"{name}={value.replace('%', '%%')}" for name, value in section.items()]
        return "\n".join(lines) + "\n"

    def _program_section(self, program: Program) -> dict[str, str]:
        return {
            "": f"program:{program.name}",
            "command": shlex.join([sys.executable, "-m", "local.stack.launch", program.name]),
            "autostart": "false",
            "autorestart": "false",
            "startretries": "0",
            "startsecs": "1",
            "stopsignal": program.stop_signal,
            "stopwaitsecs": str(program.stop_seconds),
            "stopasgroup": "false" if program.stop_signal == "INT" else "true",
            "killasgroup": "true",
            "redirect_stderr": "true",
            "stdout_logfile": str(self._home.log(program.name)),
            "stdout_logfile_maxbytes": "20MB",
            "stdout_logfile_backups": "1",
        }
