"""How long a task may take, each a DAG's ``execution_timeout``: the backstop for what hangs.

What a task waits for has a limit of its own, which comes first and says what was waited for:

===================================  =============  ==========================================
a connection to the warehouse         1 minute      :data:`~sparkify.loading.connecting.CONNECT_SECONDS`
the lock on a table's mutex          10 minutes     :data:`~sparkify.loading.warehouse.LOCK_TIMEOUT_MS`
a statement                           1 hour        :data:`~sparkify.loading.warehouse.STATEMENT_TIMEOUT_MS`
a call of AWS, its retries included  10 minutes     boto3: five tries of 60 s to connect and 60 s to read
===================================  =============  ==========================================

A limit here is the sum of what the task does at the worst. A task that is over it hangs where none of these looks: in a
driver, a proxy or a secrets backend. Airflow ends it, and with it its session with the warehouse. It is not tried
again, because it held a worker for hours.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from sparkify.loading.connecting import CONNECT_SECONDS
from sparkify.loading.warehouse import LOCK_TIMEOUT_MS, STATEMENT_TIMEOUT_MS

STATEMENT = timedelta(milliseconds=STATEMENT_TIMEOUT_MS)
AWS_CALL = timedelta(minutes=10)


def of_statements(most: int) -> timedelta:
    """The limit of a task that runs up to so many statements that take the longest that one may take."""
    return timedelta(seconds=CONNECT_SECONDS) + timedelta(milliseconds=LOCK_TIMEOUT_MS) + most * STATEMENT


def of_checks(checks: Collection[str]) -> timedelta:
    """The limit of a task that asks which of these checks are due, runs them, and records what they found."""
    return of_statements(len(checks) + 2)


#: A task that writes a table: it works out, compares, deletes, inserts and counts.
LOAD = of_statements(6)
#: A task that copies files, a date after another, each by a COPY: a year of dates, each of them four minutes.
COPY = of_statements(24)
#: A task that asks AWS a few things, or one look of a sensor.
AWS = 6 * AWS_CALL
