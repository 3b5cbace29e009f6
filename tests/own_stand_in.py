"""A stand-in with options of a test's own, before the PostgreSQL of the stack that tests share."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from typing import Any

from local.stack.programs import RedshiftProgram
from tests.local.redshift.conftest import free_port

READY_SECONDS = 60.0


@contextlib.contextmanager
def own_stand_in(stack: Any, *options: str, environment: Mapping[str, str] | None = None) -> Iterator[int]:
    """The port of one.

    :param options: of its command line, besides the stack's.
    :param environment: what its environment has otherwise.
    """
    program, port = RedshiftProgram(), free_port()
    command = [*program.command(stack.home), "--port", str(port), *options]
    log = stack.home.log(f"redshift-{port}")
    with log.open("wb") as output:
        variables = os.environ | program.environment(stack.home) | dict(environment or {})
        process = subprocess.Popen(command, env=variables, stdout=output, stderr=output)
    give_up = time.monotonic() + READY_SECONDS
    try:
        while "ready on" not in (said := log.read_text()):
            assert process.poll() is None, said
            assert time.monotonic() < give_up, said
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=20)
