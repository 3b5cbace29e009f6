"""Starts and stops the local stack, and shows its state."""

from __future__ import annotations

import contextlib
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from local.errors import LocalStackError
from local.stack import airflow_settings, databases, leftovers
from local.stack.home import Home
from local.stack.ports import PortReservations, listens
from local.stack.programs import AIRFLOW, ISOLATION, PROGRAMS, Problem, Program
from local.stack.supervision import Supervised, Supervisor

ALL = tuple(PROGRAMS)
HEALTHY_SECONDS = 240.0
# How long a program may refuse what it will answer in the end, and how often to say what is being waited for.
REFUSING_SECONDS = 10.0
TELL_SECONDS = 10.0
_LOG_LINES = 25
_STOP_ORDER = (AIRFLOW, ("redshift",), ("s3", "postgres"))

#: Called with a program (or step) and what it is doing.
Tell = Callable[[str, str], None]


@dataclass(frozen=True)
class ProgramStatus:
    """How one program is: `problem` is None when it works."""

    name: str
    state: str
    pid: int | None
    problem: str | None
    log: Path


@dataclass(frozen=True)
class _Step:
    """Something that `up` does once what it needs is done."""

    name: str
    needs: tuple[str, ...]
    work: Callable[[], None]


class Stack:
    """The programs of one home."""

    def __init__(self, home: Home, tell: Tell = lambda _name, _message: None) -> None:
        self.home = home
        self._tell = tell
        self._failed = threading.Event()

    def up(self, programs: Sequence[str] = ALL, isolation: str | None = None) -> None:
        """Start the programs that do not run, and return when all of them work.

        From then on the warehouse isolates transactions by `isolation`; unless it is given, as before.
        """
        with self.home.locked(lambda message: self._tell("home", message)), PortReservations() as reservations:
            self.home.create()
            if isolation is not None:
                self.home.set_mark(ISOLATION, isolation)
            databases.settle_server(self.home)
            supervisor = Supervisor(self.home)
            self._clear_leftovers(supervisor)
            if supervisor.pid is None:
                supervisor.start(PROGRAMS.values(), reservations)
            wanted = self._selected(programs)
            self._choose_ports(supervisor, reservations)
            self._work_off(self._steps(wanted, supervisor))

    def status(self) -> list[ProgramStatus]:
        """Return how every program is that was ever started in this home."""
        supervisor = Supervisor(self.home)
        known = supervisor.programs() if supervisor.pid is not None else {}
        return [
            self._status(program, known.get(program.name))
            for program in self._selected(ALL)
            if self.home.mark(f"started_{program.name}")
        ]

    def down(self, purge: bool = False) -> None:
        """Stop every program, what was left of killed ones included; with `purge` forget all data too."""
        if not self.home.folder.exists():
            return
        with self.home.locked(lambda message: self._tell("home", message)):
            if self.home.exists:
                supervisor = Supervisor(self.home)
                if supervisor.pid is not None:
                    self._stop_programs(supervisor)
                    supervisor.shut_down()
                self._clear_leftovers(supervisor)
                if purge:
                    self._forget_databases()
            if purge:
                shutil.rmtree(self.home.folder)

    def _selected(self, names: Iterable[str]) -> list[Program]:
        chosen = set(names)
        if not databases.is_ours(self.home):
            chosen.discard("postgres")
        return [program for name, program in PROGRAMS.items() if name in chosen]

    def _clear_leftovers(self, supervisor: Supervisor) -> None:
        family = supervisor.family()
        found = leftovers.find([self.home.run], family)
        if found:
            self._tell("home", f"Ending {len(found)} processes that a killed program left behind.")
            leftovers.stop(found)
        if databases.is_ours(self.home) and self.home.chosen_port("postgres") is not None:
            servers = leftovers.find([databases.own_server(self.home).data], family)
            # SIGINT makes PostgreSQL end at once but in order; it would wait for its clients at SIGTERM.
            leftovers.stop(servers, gently=signal.SIGINT)

    def _choose_ports(self, supervisor: Supervisor, reservations: PortReservations) -> None:
        """Choose a port for every program that does not run: the one it had, if that is still free."""
        running = {name for name, known in supervisor.programs().items() if known.runs}
        for program in self._selected(ALL):
            if program.preferred_port is None or program.name in running:
                continue
            first_choice = self.home.chosen_port(program.name) or program.preferred_port
            port = reservations.choose(first_choice)
            self.home.choose_port(program.name, port)
            if port != first_choice:
                taken = f"Port {first_choice} is taken by something else; {program.name} gets {port}."
                self._tell(program.name, taken)

    def _steps(self, programs: Sequence[Program], supervisor: Supervisor) -> list[_Step]:
        names = {program.name for program in programs}
        steps = [_Step("databases", ("postgres",), lambda: databases.provision(self.home))]
        if names & set(AIRFLOW):
            steps.append(_Step("migrate", ("databases",), self._prepare_airflow))
        for program in programs:
            needs = program.needs
            if program.name in AIRFLOW:
                needs = ("migrate",)
            elif "postgres" in needs:
                needs = (*needs, "databases")
            steps.append(_Step(program.name, needs, partial(self._start, program, supervisor)))
        return steps

    def _prepare_airflow(self) -> None:
        airflow_settings.write_password_file(self.home)
        if not self.home.mark(airflow_settings.PYTHON):
            airflow_settings.write_local_settings(self.home)
        self._tell("migrate", "preparing Airflow's metadata database")
        airflow_settings.migrate(self.home)
        self._tell("migrate", "done")

    def _work_off(self, steps: Sequence[_Step]) -> None:
        """Do every step as soon as those it needs are done, several at once."""
        self._failed.clear()
        done = {step.name: threading.Event() for step in steps}

        def work(step: _Step) -> None:
            for need in step.needs:
                while need in done and not done[need].wait(0.1):
                    if self._failed.is_set():
                        return
            try:
                step.work()
            except BaseException:
                self._failed.set()
                raise
            done[step.name].set()

        with ThreadPoolExecutor(len(steps)) as threads:
            futures: list[Future[None]] = [threads.submit(work, step) for step in steps]
            try:
                for future in as_completed(futures):
                    future.result()
            except BaseException:
                self._failed.set()
                raise

    def _start(self, program: Program, supervisor: Supervisor) -> None:
        fingerprint_mark = f"started_{program.name}"
        known = supervisor.programs()[program.name]
        fingerprint = None
        if known.runs:
            fingerprint = program.fingerprint(self.home)
            if self.home.mark(fingerprint_mark) != fingerprint:
                self._tell(program.name, "stopping, because it is to run with other settings")
                supervisor.stop_program(program.name)
                known = supervisor.programs()[program.name]
        offset = _size(self.home.log(program.name))
        if not known.runs:
            self._tell(program.name, "starting")
            program.prepare(self.home)
            self.home.set_mark(fingerprint_mark, program.fingerprint(self.home))
            supervisor.start_program(program.name)
        self._wait_until_healthy(program, supervisor, offset)
        self._tell(program.name, "works")

    def _wait_until_healthy(self, program: Program, supervisor: Supervisor, offset: int) -> None:
        began = refusing = told = time.monotonic()
        while not self._failed.is_set():
            known = supervisor.programs()[program.name]
            if known.died:
                raise LocalStackError(self._obituary(program, f"ended at once ({known.description})", offset))
            problem = self._problem(program, known)
            if problem is None:
                return
            now = time.monotonic()
            if problem.passes:
                refusing = now
            if now - refusing > REFUSING_SECONDS or now - began > HEALTHY_SECONDS:
                said = f"does not work after {now - began:.0f} seconds ({problem.said})"
                raise LocalStackError(self._obituary(program, said, offset))
            if now - told > TELL_SECONDS:
                told = now
                self._tell(program.name, f"not yet after {now - began:.0f} seconds: {problem.said}")
            time.sleep(0.2)

    def _problem(self, program: Program, known: Supervised) -> Problem | None:
        # What answers on the port may be another home's: the process itself must listen there.
        if program.preferred_port is not None:
            port = self.home.port(program.name)
            if not listens(known.pid, port):
                return Problem(f"it does not listen on port {port}")
        return program.unhealthy(self.home, known.started)

    def _obituary(self, program: Program, what: str, offset: int) -> str:
        log = self.home.log(program.name)
        with contextlib.suppress(FileNotFoundError), log.open("rb") as file:
            file.seek(offset if _size(log) >= offset else 0)
            lines = file.read().decode(errors="replace").splitlines()[-_LOG_LINES:]
            return f"{program.name} {what}. Its log, {log}, ends:\n" + "\n".join(lines)
        return f"{program.name} {what}, and it logged nothing."

    def _status(self, program: Program, known: Supervised | None) -> ProgramStatus:
        log = self.home.log(program.name)
        if known is None:
            return ProgramStatus(program.name, "DOWN", None, "neither it nor its supervisor is running", log)
        if known.died:
            return ProgramStatus(program.name, "DIED", None, f"it died ({known.description})", log)
        if not known.runs:
            return ProgramStatus(program.name, "DOWN", None, "it is not running", log)
        problem = self._problem(program, known)
        said = None if problem is None else problem.said
        return ProgramStatus(program.name, "OK" if problem is None else "SICK", known.pid, said, log)

    def _stop_programs(self, supervisor: Supervisor) -> None:
        running = {name for name, known in supervisor.programs().items() if known.runs}
        for group in _STOP_ORDER:
            names = [name for name in group if name in running]
            for name in names:
                self._tell(name, "stopping")
            if names:
                with ThreadPoolExecutor(len(names)) as threads:
                    list(threads.map(supervisor.stop_program, names))
            for name in names:
                self._tell(name, "stopped")

    def _forget_databases(self) -> None:
        if not databases.is_ours(self.home):
            databases.forget_given_databases(self.home)
        elif self.home.chosen_port("postgres") is not None:
            databases.own_server(self.home).purge()


@contextlib.contextmanager
def temporary(folder: Path, programs: Sequence[str]) -> Iterator[Stack]:
    """Give a stack of some programs in a home of its own, and leave nothing of it."""
    stack = Stack(Home(folder))
    try:
        stack.up(programs)
        yield stack
    finally:
        stack.down(purge=True)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
