"""``python -m local.redshift --port 5439 --dsn DSN``: run the stand-in until SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys

from psycopg.conninfo import conninfo_to_dict

from local.redshift.copy_command import CopyCommand
from local.redshift.server import LOOPBACK, Server, Upstream
from local.redshift.system_tables import NotReadyError, SystemTables

log = logging.getLogger("redshift")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m local.redshift", description="Amazon Redshift, as far as this project needs it."
    )
    parser.add_argument("--port", type=int, default=5439, help="port on loopback to listen on (default: 5439)")
    parser.add_argument(
        "--dsn",
        required=True,
        help="an administrator's log-in to the PostgreSQL behind, libpq's way; the password may be PGPASSWORD",
    )
    parser.add_argument(
        "--isolation",
        choices=("serializable", "snapshot"),
        default="serializable",
        help="how transactions are isolated (default: serializable)",
    )
    parser.add_argument("--wait", type=float, default=60, help="seconds to wait for PostgreSQL (default: 60)")
    return parser.parse_args()


async def _run(arguments: argparse.Namespace) -> None:
    system_tables = SystemTables(arguments.dsn)
    info = await system_tables.install(arguments.wait)
    named = conninfo_to_dict(arguments.dsn)
    upstream = Upstream(info.host or str(named.get("host", "")) or LOOPBACK, info.port, info.dbname)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stop.set)
    server = await Server(upstream, CopyCommand(system_tables), arguments.isolation).start(arguments.port)
    log.info("ready on %s:%d, database %s", LOOPBACK, arguments.port, upstream.database)
    await stop.wait()
    server.close()
    sessions = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for session in sessions:
        session.cancel()
    await asyncio.gather(*sessions, return_exceptions=True)
    await system_tables.close()


def main() -> int:
    """Return the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("botocore").setLevel(logging.WARNING)
    arguments = _arguments()
    try:
        asyncio.run(_run(arguments))
    except (NotReadyError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
