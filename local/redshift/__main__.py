"""``python -m local.redshift --port 5439 --dsn DSN``: run the stand-in until SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys

from local.redshift.copy_command import CopyCommand
from local.redshift.server import DEFAULT_ISOLATION, ISOLATIONS, LOOPBACK, Server
from local.redshift.session import statement_log
from local.redshift.system_tables import NotReadyError, SystemTables

log = logging.getLogger("redshift")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m local.redshift", description="Amazon Redshift, as far as needed here.")
    option = parser.add_argument
    option("--host", default=LOOPBACK, help=f"address to listen on; another is for containers (default: {LOOPBACK})")
    option("--port", type=int, default=5439, help="port to listen on (default: 5439)")
    option("--dsn", required=True, help="an administrator's log-in to PostgreSQL, libpq's way; PGPASSWORD is read too")
    option("--isolation", choices=ISOLATIONS, default=DEFAULT_ISOLATION, help="of transactions (default: %(default)s)")
    option("--wait", type=float, default=60, help="seconds to wait for PostgreSQL (default: 60)")
    option("--statement-log", metavar="FILE", help="append every statement of a client, a JSON string a line")
    return parser.parse_args()


async def _run(arguments: argparse.Namespace) -> None:
    system_tables = SystemTables(arguments.dsn)
    info = await system_tables.install(arguments.wait)
    stop = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_number, stop.set)
    server = Server(info.host, info.port, info.dbname, CopyCommand(system_tables), arguments.isolation)
    listening = await server.listen(arguments.port, arguments.host)
    log.info("ready on %s:%d, database %s", arguments.host, arguments.port, info.dbname)
    await stop.wait()
    listening.close()
    await system_tables.close()


def main() -> int:
    """Return the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("botocore").setLevel(logging.WARNING)
    arguments = _arguments()
    statement_log.propagate = False
    if arguments.statement_log:
        statement_log.addHandler(logging.FileHandler(arguments.statement_log))
    try:
        asyncio.run(_run(arguments))
    except (NotReadyError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
