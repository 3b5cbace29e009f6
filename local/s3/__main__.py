"""`python -m local.s3`: serve S3 and the other services until SIGTERM or SIGINT.

It answers who carries the access key id in $AWS_ACCESS_KEY_ID, on the loopback names of this machine.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from local.s3.server import LOOPBACK, make_server


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m local.s3", description=__doc__)
    parser.add_argument(
        "--host", default=LOOPBACK, help=f"address to listen on; another is for containers (default {LOOPBACK})"
    )
    parser.add_argument("--port", type=int, required=True, help="port to listen on")
    parser.add_argument("--folder", type=Path, required=True, help="where buckets and objects are kept")
    parser.add_argument(
        "--bucket",
        action="append",
        default=[],
        help="a bucket to make if it is missing",
    )
    arguments = parser.parse_args()
    key = os.environ.get("AWS_ACCESS_KEY_ID")
    if not key:
        parser.error("AWS_ACCESS_KEY_ID is not set. Set it to the access key id that clients will send.")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = make_server(arguments.port, arguments.folder, key, arguments.bucket, arguments.host)
    print(
        f"S3 listens on {arguments.host}:{arguments.port}, kept in {arguments.folder}",
        flush=True,
    )
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
